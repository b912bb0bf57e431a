// Redis processes that die and come back in the same place: nodes of a cluster, or a master with its replica and
// Sentinels. Each has a directory that outlives its process, and an admin connection that finds it again.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { serverArgs } from '../../chaos/drivers/redis-node.ts';
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

/** A Redis that accepts connections. */
export async function startNode(
  parent: string,
  port: number,
  settings: Readonly<Record<string, string>>,
): Promise<RedisNode> {
  const dir = join(parent, String(port));
  await mkdir(dir, { recursive: true });
  return start(dir, port, serverArgs({ port: String(port), bind: '127.0.0.1', dir, ...settings }));
}

/** A Sentinel that has read its file. */
export async function startSentinelNode(
  dir: string,
  port: number,
  config: string,
  args: readonly string[] = [],
): Promise<RedisNode> {
  return start(dir, port, [config, '--sentinel', ...args]);
}

async function start(dir: string, port: number, args: readonly string[]): Promise<RedisNode> {
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
