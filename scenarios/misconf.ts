import type { Scenario } from '../chaos/scenario.ts';
import { brief, briefTiming, keys, service } from './defaults.ts';

export const misconf: Scenario = {
  name: 'misconf',
  family: 'redis',
  hypothesis: 'When Redis cannot save its data and refuses every write, the fallback decides each request in time.',
  faults: [{ use: { kind: 'misconf' }, ...brief }],
  timing: briefTiming,
  keys,
  service,
};
