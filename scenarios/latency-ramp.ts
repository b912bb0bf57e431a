import type { Scenario } from '../chaos/scenario.ts';
import { briefTiming, keys, once, service } from './defaults.ts';

export const latencyRamp: Scenario = {
  name: 'latency-ramp',
  family: 'network',
  hypothesis: 'When Redis gets slower bit by bit, to 100 ms in each direction, no request waits for it at any time.',
  faults: [{ use: { kind: 'latency-ramp', latencyMs: 100, overMs: 5000, steps: 50 }, ...once, forMs: 6000 }],
  timing: briefTiming,
  keys,
  service,
};
