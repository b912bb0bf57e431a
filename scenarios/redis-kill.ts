import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const redisKill: Scenario = {
  name: 'redis-kill',
  family: 'redis',
  hypothesis:
    'When Redis is killed and comes back empty 5 s later, no request is lost and none is admitted beyond the bound.',
  faults: [{ use: { kind: 'redis-kill' }, ...once }],
  timing,
  keys,
  service,
};
