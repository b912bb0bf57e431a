import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const latency1: Scenario = {
  name: 'latency-1',
  family: 'network',
  hypothesis: 'When Redis is 1 ms away in each direction, it goes on deciding every request.',
  faults: [{ use: { kind: 'latency', latencyMs: 1 }, ...once }],
  timing,
  keys,
  service,
};
