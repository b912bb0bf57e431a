import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { LastDecisions } from '../../../service/core/last-decisions.ts';
import { Limiter } from '../../../service/core/limiter.ts';
import { LocalStore } from '../../../service/core/local-store.ts';
import type { Shard } from '../../../service/core/shard.ts';
import { limitOf, takesOf } from '../../support/takes.ts';

const take = takesOf(limitOf(4, 1, 2));

/** As far as a take looks at a shard whose breaker is open. */
const openShard = () => ({ breaker: { state: 'open' }, last: new LastDecisions(100, 'redis') }) as unknown as Shard;

it('forgets a shard that was replaced while its outage lasted', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const topology = { shards: [openShard()], shardOf: () => topology.shards[0], close() {} };
  const fallback = new LocalStore({ keysMax: 100, nowUs: () => 1 });
  const limiter = new Limiter({ topology, fallback, nowUs: () => 1, onDecision() {} });
  const replaced: WeakRef<Shard>[] = [];
  for (let i = 0; i < 3; i++) {
    await limiter.decide(take('a'));
    replaced.push(new WeakRef(topology.shards[0] as Shard));
    topology.shards = [openShard()];
  }
  await limiter.decide(take('a'));
  await new Promise(setImmediate);
  collect();
  expect(replaced.map((shard) => shard.deref())).toEqual([undefined, undefined, undefined]);
});
