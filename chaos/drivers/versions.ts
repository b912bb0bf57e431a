// What a run ran on, for the journal.

import { cpus, release, type } from 'node:os';
import type { Engine } from '../host/engine.ts';
import type { ToxiproxyApi } from '../host/toxiproxy.ts';

/** The machine that the lab itself runs on. */
export function machine(): Record<'cpu' | 'kernel', string> {
  return { cpu: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`, kernel: `${type()} ${release()}` };
}

interface Parts {
  /** Ids of containers. */
  readonly limiter: string;
  readonly redis: string;
  readonly toxiproxy: ToxiproxyApi;
  readonly prometheusUrl: string;
}

/** The versions of what runs in containers; empty where a part does not tell. */
export async function versionsOf(engine: Engine, parts: Parts): Promise<Record<string, string>> {
  const { limiter, redis, toxiproxy, prometheusUrl } = parts;
  const [node, redisVersion, toxiproxyVersion, prometheus] = await Promise.all([
    said(engine, limiter, ['node', '--version'], /(v[\d.]+)/),
    said(engine, redis, ['redis-server', '--version'], /v=(\S+)/),
    toxiproxy.version(),
    prometheusVersion(prometheusUrl),
  ]);
  return { node, redis: redisVersion, toxiproxy: toxiproxyVersion, prometheus, ...machine() };
}

async function said({ client }: Engine, id: string, command: string[], version: RegExp): Promise<string> {
  const { output } = await client.container.exec(client.container.getById(id), command);
  return version.exec(output)?.[1] ?? '';
}

async function prometheusVersion(url: string): Promise<string> {
  const response = await fetch(`${url}/api/v1/status/buildinfo`);
  const { data } = (await response.json()) as { data?: { version?: string } };
  return data?.version ?? '';
}
