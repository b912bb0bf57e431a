import type { Scenario } from '../chaos/scenario.ts';
import { brief, briefTiming, keys, service } from './defaults.ts';

export const clientKill: Scenario = {
  name: 'client-kill',
  family: 'redis',
  hypothesis: 'When Redis closes every connection twice a second, each request is decided in time, by whoever can.',
  faults: [{ use: { kind: 'client-kill', everyMs: 500 }, ...brief }],
  timing: briefTiming,
  keys,
  service,
};
