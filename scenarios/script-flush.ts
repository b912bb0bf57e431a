import type { Scenario } from '../chaos/scenario.ts';
import { briefTiming, keys, service, thrice } from './defaults.ts';

export const scriptFlush: Scenario = {
  name: 'script-flush',
  family: 'redis',
  hypothesis: 'When Redis forgets the script, the limiter sends it again, and Redis decides on.',
  faults: [{ use: { kind: 'script-flush' }, ...thrice }],
  timing: briefTiming,
  keys,
  service,
};
