// Runs the failure path before it is needed. Otherwise the first outage is also the first time that this code runs, and
// compiling it takes up to a millisecond and a half of the few that a decision has (figures in JOURNAL.md).

import { Batcher } from './batcher.ts';
import { Breaker } from './breaker.ts';
import { deadline } from './deadline.ts';
import { LastDecisions } from './last-decisions.ts';
import { Limiter } from './limiter.ts';
import { LocalStore } from './local-store.ts';
import { type Outcome, type Policy, StoreError } from './store.ts';

const outages = 10;
const takesPerOutage = 20;

/** Some outages on parts of their own: every call times out, the breaker opens, the fallback answers. About 40 ms. */
export async function rehearse(policy: Policy, nowUs: () => number): Promise<void> {
  const hanging = {
    takeMany: () =>
      new Promise<Outcome[]>((_resolve, reject) => {
        deadline(1, () => reject(new StoreError('timeout', 'a rehearsal')));
      }),
  };
  for (let i = 0; i < outages; i++) {
    const breaker = new Breaker(hanging, { failures: 3, resetMs: 1000, probe: async () => {}, random: Math.random });
    const fallback = new LocalStore(policy, { keysMax: takesPerOutage, nowUs });
    const shard = {
      name: 'a rehearsal',
      store: { ready: true, reset: async () => {} },
      breaker,
      batcher: new Batcher(breaker, 1),
      last: new LastDecisions(policy, takesPerOutage),
    };
    const topology = { shards: [shard], shardOf: () => shard, close: () => {} };
    const limiter = new Limiter({ topology, fallback, nowUs });
    await Promise.all(Array.from({ length: takesPerOutage }, (_, n) => limiter.take(`rehearsal ${n}`, 1)));
    breaker.close();
  }
}
