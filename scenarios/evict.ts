import type { Scenario } from '../chaos/scenario.ts';
import { briefTiming, keys, service, thrice } from './defaults.ts';

export const evict: Scenario = {
  name: 'evict',
  family: 'redis',
  hypothesis:
    'When Redis evicts buckets, it decides on, and no key gets more than one bucket beyond its own each time.',
  faults: [{ use: { kind: 'evict' }, ...thrice }],
  timing: briefTiming,
  keys,
  service,
};
