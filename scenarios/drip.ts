import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const drip: Scenario = {
  name: 'drip',
  family: 'network',
  hypothesis: 'When every packet comes byte by byte, 2 ms apart, no request waits for a whole one.',
  faults: [{ use: { kind: 'slicer', averageBytes: 1, delayUs: 2000 }, ...once }],
  timing,
  keys,
  service,
};
