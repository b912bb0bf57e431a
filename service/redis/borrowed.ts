// One Redis, by a connection that the application has already: all that is known of it is how a command is sent. Nobody
// says when that connection comes or goes. The commands show it, and so does the probe of an open breaker.

import { createShard, type Topology } from '../core/shard.ts';
import type { StoreError } from '../core/store.ts';
import { begin } from './connection.ts';
import { retryMs, type SendCommand } from './options.ts';
import type { RedisClient } from './script-runner.ts';
import type { ConnectOptions } from './single.ts';
import { RedisStore } from './store.ts';

export function connectBorrowed(
  sendCommand: SendCommand,
  options: ConnectOptions,
): Topology & { readonly client: RedisClient } {
  const send = async (...words: string[]) => {
    try {
      return inNumbers(await sendCommand(...words));
    } catch (error) {
      throw error instanceof Error ? error : new Error(`the connection gave ${String(error)} as the reason`);
    }
  };
  const client: RedisClient = {
    evalsha: (sha, keyCount, ...args) => send('EVALSHA', sha, String(keyCount), ...args),
    eval: (script, keyCount, ...args) => send('EVAL', script, String(keyCount), ...args),
  };
  const store = new RedisStore({ ...options, client });
  const shard = createShard("the application's connection", store, options);
  let again: NodeJS.Timeout | undefined;
  let isClosed = false;
  const start = async (attempt: number) => {
    const refused: StoreError | undefined = await begin({ shard, store }, options.onConnection);
    if (refused && !isClosed) again = setTimeout(() => start(attempt + 1), retryMs(attempt, options.instances()));
  };
  start(1);
  return {
    client,
    shards: [shard],
    shardOf: () => shard,
    close() {
      isClosed = true;
      clearTimeout(again);
      shard.breaker.close();
    },
  };
}

/** A client may be told to give numbers as texts, as ioredis by `stringNumbers`. No script here answers such a text itself. */
function inNumbers(reply: unknown): unknown {
  if (!Array.isArray(reply)) return reply;
  return reply.map((it) => (typeof it === 'string' && /^-?\d{1,16}$/.test(it) ? Number(it) : it));
}
