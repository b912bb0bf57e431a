import type { Scenario } from '../chaos/scenario.ts';
import { brief, briefTiming, keys, service } from './defaults.ts';

export const wrongType: Scenario = {
  name: 'wrong-type',
  family: 'redis',
  hypothesis: 'When one key holds a list in place of a bucket, the fallback decides that key, and Redis all others.',
  faults: [{ use: { kind: 'wrong-type' }, ...brief }],
  timing: briefTiming,
  keys,
  service,
};
