import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const latency4: Scenario = {
  name: 'latency-4',
  family: 'network',
  hypothesis: 'When Redis is 4 ms away in each direction, whoever decides does so in time.',
  faults: [{ use: { kind: 'latency', latencyMs: 4 }, ...once }],
  timing,
  keys,
  service,
};
