import type { Scenario } from '../chaos/scenario.ts';
import { brief, briefTiming, keys, service } from './defaults.ts';

export const redisKillAof: Scenario = {
  name: 'redis-kill-aof',
  family: 'redis',
  hypothesis:
    'When Redis is killed and comes back with what its append-only file held, no key gets more than its buckets.',
  faults: [{ use: { kind: 'redis-kill-aof' }, ...brief }],
  timing: briefTiming,
  keys,
  service,
};
