import type { Scenario } from '../chaos/scenario.ts';
import { brief, briefTiming, keys, service } from './defaults.ts';

export const redisGray: Scenario = {
  name: 'redis-gray',
  family: 'redis',
  hypothesis: 'When Redis stands still for half of the time, each request is decided in time, by whoever can.',
  faults: [{ use: { kind: 'redis-gray', stopMs: 30, eachMs: 60 }, ...brief }],
  timing: briefTiming,
  keys,
  service,
};
