import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const slicer: Scenario = {
  name: 'slicer',
  family: 'network',
  hypothesis: 'When every packet comes in slices of 7 B, 1 ms apart, no request waits for a whole one.',
  faults: [{ use: { kind: 'slicer', averageBytes: 7, delayUs: 1000 }, ...once }],
  timing,
  keys,
  service,
};
