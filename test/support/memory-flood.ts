// A limiter in a process of its own that finds no Redis and is asked for a great many keys, each once; writes by how many
// bytes what it holds grew: the garbage does not count, for how much of it Node lets lie depends on the moment.
//
//   node --expose-gc memory-flood.ts KEYS    settings from the environment, as those of the service

import { readConfig } from '../../service/config/env.ts';
import { Limiter } from '../../service/core/limiter.ts';
import { LocalStore } from '../../service/core/local-store.ts';
import { takeOf } from '../../service/core/store.ts';
import { connect } from '../../service/redis/connect.ts';

const keyCount = Number(process.argv[2]);
const warmupKeys = 1000;
const warmupTakes = 200_000;
const takesPerTurn = 1000;

const config = readConfig({ REDIS_ADDR: '127.0.0.1:1', ...process.env }); // nothing listens on port 1
const limits = config.policies.flatMap((policy) => policy.limits);
const nowUs = () => performance.now() * 1000;
const fallback = new LocalStore({ keysMax: config.fallbackKeysMax, nowUs });
const topology = connect(config.redis, {
  timeoutMs: config.redisTimeoutMs,
  nowUs,
  breakerFailures: config.breakerFailures,
  breakerResetMs: config.breakerResetMs,
  keysMax: config.fallbackKeysMax,
  onConnection: () => {},
  instances: () => 1,
  onAnswer: () => {},
  onError: () => {},
  onTransition: () => {},
});
const limiter = new Limiter({ topology, fallback, nowUs, onDecision: () => {} });

/** As an API key might be; no two alike. */
const keyOf = (n: number) => `acct_${Math.imul(n, 0x9e3779b1).toString(16)}_${n.toString(36).padStart(24, '0')}`;

async function flood(takes: number, keyOfTake: (n: number) => string): Promise<void> {
  for (let n = 0; n < takes; n += takesPerTurn) {
    await Promise.all(
      Array.from({ length: takesPerTurn }, (_, i) => limiter.decide(takeOf(limits, keyOfTake(n + i), 1))),
    );
    await new Promise(setImmediate);
  }
}

function heldBytes(): number {
  if (!globalThis.gc) throw new Error('needs node --expose-gc');
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

await flood(warmupTakes, (n) => `warm-up ${n % warmupKeys}`);
const before = heldBytes();
await flood(keyCount, keyOf);
const grownBytes = heldBytes() - before;
process.stdout.write(
  JSON.stringify({ grownBytes, buckets: fallback.size, breaker: topology.shards[0]?.breaker.state }),
);
topology.close();
