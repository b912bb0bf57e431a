// What the service says of itself.

import type { Readiness } from '../../service/doors/readiness.ts';

interface Served {
  readonly url: string;
}

export async function readinessOf({ url }: Served): Promise<Readiness> {
  return (await (await fetch(`${url}/readyz`)).json()) as Readiness;
}

/** The series of one metric, as labels → value. */
export async function metricsOf({ url }: Served, name: string): Promise<Record<string, number>> {
  const page = await (await fetch(`${url}/metrics`)).text();
  const lines = page.matchAll(new RegExp(`^${name}\\{([^}]*)\\} (\\S+)$`, 'gm'));
  return Object.fromEntries([...lines].map(([, labels, value]) => [labels, Number(value)]));
}
