// One limiter instance as a process: how it is reached, and how the lab sees whether it lives.

import { until } from '../../clock.ts';
import type { Environment, Instance, Restartable } from '../../environment.ts';
import { LabError } from '../../errors.ts';
import type { Ping } from '../../host/ping.ts';
import type { Target } from '../fault.ts';

/** Any answer to it will do. */
const path = '/healthz';
const answerMsMax = 500;
/** How long it is given to answer again; whether it does is for the judge. */
const readyMsMax = 10_000;

/** Throws when the driver has no way to it. */
export function processOf({ driver }: Environment, { name, instance }: Target): Restartable {
  if (!instance?.process) throw new LabError(`The ${driver} driver cannot reach the process of ${name}`);
  return instance.process;
}

/** Asks the instance itself, past its front link. Never rejects. */
export async function lookAt({ url }: Pick<Instance, 'url'>, msMax: number): Promise<Ping> {
  const startMs = performance.now();
  const outcome = await fetch(`${url}${path}`, { signal: AbortSignal.timeout(msMax) }).then(
    (): Ping['outcome'] => 'pong',
    ({ name, cause }: Error): Ping['outcome'] => {
      if (name === 'TimeoutError') return 'silent';
      return (cause as NodeJS.ErrnoException | undefined)?.code === 'ECONNREFUSED' ? 'refused' : 'closed';
    },
  );
  return { outcome, ms: performance.now() - startMs, reply: '' };
}

/** Resolves when it answers, or has had time enough. */
export async function answering({ instance }: Target): Promise<void> {
  if (!instance) return;
  const isAnswering = async () => (await lookAt(instance, answerMsMax)).outcome === 'pong' || undefined;
  await until(readyMsMax, 20, isAnswering);
}
