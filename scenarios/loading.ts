import type { Scenario } from '../chaos/scenario.ts';
import { brief, briefTiming, keys, service } from './defaults.ts';

export const loading: Scenario = {
  name: 'loading',
  family: 'redis',
  hypothesis: 'When Redis loads its data for seconds after a restart, the fallback decides each request in time.',
  faults: [{ use: { kind: 'loading' }, ...brief }],
  timing: briefTiming,
  keys,
  service,
};
