// A Redis of a test's own: a free loopback port, a directory of its own that goes with it, nothing saved.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { serverArgs } from '../../chaos/drivers/redis-node.ts';
import { freePort } from '../../chaos/free-port.ts';
import { type Child, type Ended, startChild } from './process.ts';
import { until } from './until.ts';

export interface RedisProcess extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly pid: number;
  /** Its working directory, where it logs and would save. */
  readonly dir: string;
  /** Connected since before the test meddled with anything. */
  readonly admin: Redis;
  /** SIGTERM; SIGKILL if a script keeps it from listening. */
  stop(): Promise<Ended>;
  /** SIGKILL. */
  kill(): Promise<Ended>;
}

/** Starts a Redis that answers, be it with LOADING. `port` where a test has told somebody before. */
export async function startRedis(extraArgs: readonly string[] = [], port?: number): Promise<RedisProcess> {
  const dir = await mkdtemp(join(tmpdir(), 'failopen-redis-'));
  const chosen = port ?? (await freePort());
  const logFile = join(dir, 'redis.log');
  const args = serverArgs({ port: String(chosen), bind: '127.0.0.1', dir, logfile: logFile });
  const child = startChild('redis-server', [...args, ...extraArgs], { cwd: dir });
  const admin = new Redis({
    host: '127.0.0.1',
    port: chosen,
    enableReadyCheck: false,
    maxRetriesPerRequest: null,
    retryStrategy: () => 10,
  });
  admin.on('error', () => {}); // not up yet, or ended by the test

  const ended = async (how: (child: Child) => Promise<Ended>) => {
    admin.disconnect();
    const result = await how(child);
    await rm(dir, { recursive: true, force: true });
    return result;
  };
  try {
    await until(`Redis on port ${chosen}`, async () => {
      if (child.hasEnded()) throw new Error(`redis-server ended: ${await readFile(logFile, 'utf8').catch(() => '')}`);
      return admin.status === 'ready';
    });
    await admin.ping().catch((error: Error) => {
      if (!error.message.startsWith('LOADING')) throw error;
    });
  } catch (error) {
    await ended((it) => it.kill());
    throw error;
  }
  return {
    port: chosen,
    url: `redis://127.0.0.1:${chosen}`,
    pid: child.pid,
    dir,
    admin,
    stop: () => ended((it) => it.stop()),
    kill: () => ended((it) => it.kill()),
    /** Nothing is worth saving, so without asking. */
    async [Symbol.asyncDispose]() {
      await ended((it) => it.kill());
    },
  };
}
