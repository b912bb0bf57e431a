import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const latency: Scenario = {
  name: 'latency',
  family: 'network',
  hypothesis: 'When Redis is 100 ± 20 ms away in each direction, no request waits for it.',
  faults: [{ use: { kind: 'latency', latencyMs: 100, jitterMs: 20 }, ...once }],
  timing,
  keys,
  service,
};
