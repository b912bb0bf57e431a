import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const bandwidth: Scenario = {
  name: 'bandwidth',
  family: 'network',
  hypothesis: 'When the way to Redis carries 10 kB/s, no request waits for its turn on it.',
  faults: [{ use: { kind: 'bandwidth', kilobytesPerSecond: 10 }, ...once }],
  timing,
  keys,
  service,
};
