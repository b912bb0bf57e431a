import type { Scenario } from '../chaos/scenario.ts';
import { brief, briefTiming, keys, service } from './defaults.ts';

export const busy: Scenario = {
  name: 'busy',
  family: 'redis',
  hypothesis: 'When a script without an end keeps Redis busy, the fallback decides each request in time.',
  faults: [{ use: { kind: 'busy' }, ...brief }],
  timing: briefTiming,
  keys,
  service,
};
