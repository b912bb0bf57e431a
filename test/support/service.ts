// The service as a process of a test's own, on a free loopback port. Unless told otherwise it finds no Redis.

import { fileURLToPath } from 'node:url';
import { freePort } from '../../chaos/free-port.ts';
import { type Child, startChild } from './process.ts';
import { until } from './until.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface ServiceProcess extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly child: Child;
  /** All that it wrote, both streams. */
  output(): string;
  stop(): Promise<void>;
}

/** The bare process, its environment exactly `env`. */
export function spawnService(env: Readonly<Record<string, string>>): Child {
  return startChild(process.execPath, ['service/main.ts'], { cwd: root, env });
}

/** Starts it and waits until /healthz answers. Before it says that it listens nobody asks: that alone would be a third of its cost. */
export async function startService(env: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> {
  const port = Number(env.PORT ?? (await freePort()));
  const url = `http://127.0.0.1:${port}`;
  const child = spawnService({ REDIS_ADDR: '127.0.0.1:1', PORT: String(port), ...env }); // nothing listens on port 1
  const output = () => child.stdout() + child.stderr();
  try {
    await until(`an answer of ${url}/healthz`, async () => {
      if (child.hasEnded()) throw new Error(`the service ended: ${output()}`);
      if (!child.stdout().includes('listening on')) return false;
      const response = await fetch(`${url}/healthz`).catch(() => undefined);
      return response?.ok;
    });
  } catch (error) {
    await child.kill();
    throw error;
  }
  return {
    url,
    port,
    pid: child.pid,
    child,
    output,
    async stop() {
      await child.stop();
    },
    async [Symbol.asyncDispose]() {
      await child.stop();
    },
  };
}
