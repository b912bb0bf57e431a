import type { Scenario } from '../chaos/scenario.ts';
import { brief, briefTiming, keys, service } from './defaults.ts';

export const clientPause: Scenario = {
  name: 'client-pause',
  family: 'redis',
  hypothesis: 'When Redis holds every write back for seconds, no request waits, and no late script takes a token.',
  faults: [{ use: { kind: 'client-pause' }, ...brief }],
  timing: briefTiming,
  keys,
  service,
};
