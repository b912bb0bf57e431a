import type { Scenario } from '../chaos/scenario.ts';
import { brief, briefTiming, keys, service } from './defaults.ts';

export const redisStop: Scenario = {
  name: 'redis-stop',
  family: 'redis',
  hypothesis: 'When Redis stands still for seconds, no request waits, and no late script takes a token.',
  faults: [{ use: { kind: 'redis-stop' }, ...brief }],
  timing: briefTiming,
  keys,
  service,
};
