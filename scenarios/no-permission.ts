import type { Scenario } from '../chaos/scenario.ts';
import { brief, briefTiming, keys, service } from './defaults.ts';

export const noPermission: Scenario = {
  name: 'no-permission',
  family: 'redis',
  hypothesis: 'When the user of the limiters may do nothing any more, the fallback decides each request in time.',
  faults: [{ use: { kind: 'no-permission' }, ...brief }],
  timing: briefTiming,
  keys,
  service,
};
