import type { Scenario } from '../chaos/scenario.ts';
import { briefTiming, keys, service, thrice } from './defaults.ts';

export const flushAll: Scenario = {
  name: 'flush-all',
  family: 'redis',
  hypothesis: 'When Redis is emptied, it decides on, and no key gets more than one bucket beyond its own each time.',
  faults: [{ use: { kind: 'flush-all' }, ...thrice }],
  timing: briefTiming,
  keys,
  service,
};
