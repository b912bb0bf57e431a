import type { Scenario } from '../chaos/scenario.ts';
import { briefly, briefTiming, keys, service } from './defaults.ts';

export const latency4: Scenario = {
  name: 'latency-4',
  family: 'network',
  hypothesis: 'When Redis is 4 ms away in each direction, whoever decides does so in time.',
  faults: [{ use: { kind: 'latency', latencyMs: 4 }, ...briefly }],
  timing: briefTiming,
  keys,
  service,
};
