// What is said of a store that cannot decide, as the reason that the metric shows.

import { expect, it } from 'vitest';
import { storeErrorOf } from '../../../service/redis/errors.ts';

it.each([
  ['a node of a cluster, where the settings name a single Redis', 'MOVED 3999 127.0.0.1:6381'],
  ['the same, while the slot moves', 'ASK 3999 127.0.0.1:6381'],
  ['the same, for several keys', "CROSSSLOT Keys in request don't hash to the same slot"],
  ['a single Redis, where the settings name a cluster', 'ERR This instance has cluster support disabled'],
  ['a Redis, where the settings name a Sentinel', "ERR unknown command 'sentinel', with args beginning with: 'get-mas"],
])('%s has not what the settings name', (_what, message) => {
  expect(storeErrorOf(new Error(message)).reason).toBe('config');
});

it('an owner of a slot that is not found in time is none of the settings', () => {
  const message = 'Too many Cluster redirections. Last error: ReplyError: MOVED 1 127.0.0.1:6379';
  expect(storeErrorOf(new Error(message)).reason).toBe('clusterdown');
});
