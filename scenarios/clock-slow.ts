import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const clockSlow: Scenario = {
  name: 'clock-slow',
  family: 'process',
  hypothesis:
    'When the clock of one limiter is 1 % too slow, Redis decides on, and no key gets more or less than its buckets by it.',
  faults: [{ use: { kind: 'clock-drift', ppm: -10_000 }, ...once }],
  timing,
  keys,
  service,
};
