import type { Scenario } from '../chaos/scenario.ts';
import { brief, briefTiming, keys, service } from './defaults.ts';

export const masterDown: Scenario = {
  name: 'master-down',
  family: 'redis',
  hypothesis: 'When Redis is a replica that has lost its master, the fallback decides each request in time.',
  faults: [{ use: { kind: 'master-down' }, ...brief }],
  timing: briefTiming,
  keys,
  service,
};
