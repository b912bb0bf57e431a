import type { Scenario } from '../chaos/scenario.ts';
import { brief, briefTiming, keys, service } from './defaults.ts';

export const noAuth: Scenario = {
  name: 'no-auth',
  family: 'redis',
  hypothesis: 'When Redis suddenly asks for a password, the fallback decides each request in time.',
  faults: [{ use: { kind: 'no-auth' }, ...brief }],
  timing: briefTiming,
  keys,
  service,
};
