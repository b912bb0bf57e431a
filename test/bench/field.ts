// What is measured together: contenders, each a process of its own, and the Redis that they share.

import { join } from 'node:path';
import { serverArgs } from '../../chaos/drivers/redis-node.ts';
import { LabError } from '../../chaos/errors.ts';
import { freePort } from '../../chaos/free-port.ts';
import { binaries, find } from '../../chaos/host/binaries.ts';
import { ping } from '../../chaos/host/ping.ts';
import { LabProcess } from '../../chaos/host/processes.ts';
import { goFirst } from '../../chaos/host/real-time.ts';
import type { UndoLog } from '../../chaos/host/undo-log.ts';
import { type Contender, keyHeader, type Running, start } from './contenders.ts';
import { startedOn } from './cores.ts';

export interface Bench {
  readonly undo: UndoLog;
  /** Directory. */
  readonly logs: string;
  /** Whatever is under way is given up when it aborts. */
  readonly signal: AbortSignal;
}

export interface Placement {
  /** Where all of them run; undefined: anywhere. */
  readonly cores: string | undefined;
  /** Whether Redis has the processor as soon as it wants it, as on a machine of its own. */
  readonly redisFirst: boolean;
}

export interface Field extends AsyncDisposable {
  readonly running: readonly Running[];
  readonly redis: {
    readonly port: number;
    readonly pid: number;
    /** Has it stand still, its connections open, or go on. */
    readonly stop: () => void;
    readonly goOn: () => void;
  };
}

/** Resolves when all of them answer. `env`: the policy. */
export async function startField(
  all: readonly Contender[],
  env: Readonly<Record<string, string>>,
  { cores, redisFirst }: Placement,
  { undo, logs, signal }: Bench,
): Promise<Field> {
  await using stack = new AsyncDisposableStack();
  const placed = <T extends { command: string; args: readonly string[] }>(program: T): T =>
    cores === undefined ? program : { ...program, ...startedOn(cores, program) };

  const port = await freePort();
  const redis = await LabProcess.start({
    name: 'redis',
    ...placed({ command: await redisServer(), args: serverArgs({ port: String(port), bind: '127.0.0.1', dir: logs }) }),
    log: join(logs, 'redis.log'),
    undo,
  });
  stack.defer(() => redis.stop());
  await redis.ready(10_000, async () => ((await ping('127.0.0.1', port, 500)).outcome === 'pong' ? true : undefined));
  if (redisFirst) goFirst(redis.pid);

  const settings = {
    NODE_ENV: 'production',
    REDIS_PORT: String(port),
    REDIS_ADDR: `127.0.0.1:${port}`,
    LOG_LEVEL: 'warn',
  };
  const policyOfAll = { ...env, KEY_HEADER: keyHeader };
  const running: Running[] = [];
  for (const contender of all) {
    signal.throwIfAborted();
    running.push(
      stack.use(
        await start(
          placed(contender),
          { ...settings, ...(contender.env ?? policyOfAll) },
          join(logs, 'contenders.log'),
          undo,
        ),
      ),
    );
  }
  const started = stack.move();
  const itsRedis = { port, pid: redis.pid, stop: () => redis.kill('SIGSTOP'), goOn: () => redis.kill('SIGCONT') };
  return { running, redis: itsRedis, [Symbol.asyncDispose]: () => started.disposeAsync() };
}

async function redisServer(): Promise<string> {
  const binary = binaries.find(({ name }) => name === 'redis-server');
  const found = binary && (await find(binary));
  if (!found) throw new LabError('Not installed: redis-server. Type: npm run setup');
  return found.path;
}
