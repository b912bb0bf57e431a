// Redis processes that die and come back in the same place: nodes of a cluster, or a master with its replica and
// Sentinels. Each has a directory that outlives its process, and an admin connection that finds it again.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { type Child, startChild } from './process.ts';
import { until } from './until.ts';

export interface RedisNode {
  readonly host: string;
  readonly port: number;
  /** host:port */
  readonly address: string;
  readonly pid: number;
  readonly admin: Redis;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** The same again, with what it left in its directory. */
  restart(): Promise<void>;
  /** SIGKILL, for good. */
  end(): Promise<void>;
}

/** Starts `redis-server` with `argsOf(directory)` on the port; resolves when it accepts connections. */
export async function startNode(
  parent: string,
  port: number,
  argsOf: (dir: string) => readonly string[],
): Promise<RedisNode> {
  const dir = join(parent, String(port));
  await mkdir(dir, { recursive: true });
  const args = argsOf(dir);
  const admin = new Redis({
    host: '127.0.0.1',
    port,
    lazyConnect: true,
    enableReadyCheck: false,
    maxRetriesPerRequest: null,
    retryStrategy: () => 20,
  });
  admin.on('error', () => {}); // not up yet, or killed by the test
  const startProcess = async () => {
    const child = startChild('redis-server', args, { cwd: dir });
    await until(`Redis on port ${port}`, () => {
      if (child.hasEnded()) throw new Error(`redis-server ended: ${child.stdout()}${child.stderr()}`);
      return /Ready to accept connections|Sentinel ID is|Running mode=sentinel/.test(child.stdout());
    });
    return child;
  };
  let child: Child = await startProcess();
  admin.connect().catch(() => {});
  return {
    host: '127.0.0.1',
    port,
    address: `127.0.0.1:${port}`,
    get pid() {
      return child.pid;
    },
    admin,
    async kill() {
      await child.kill();
    },
    async restart() {
      child = await startProcess();
    },
    async end() {
      admin.disconnect();
      await child.kill();
    },
  };
}
