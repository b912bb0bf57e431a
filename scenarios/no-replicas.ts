import type { Scenario } from '../chaos/scenario.ts';
import { brief, briefTiming, keys, service } from './defaults.ts';

export const noReplicas: Scenario = {
  name: 'no-replicas',
  family: 'redis',
  hypothesis: 'When Redis has too few replicas to take a write, the fallback decides each request in time.',
  faults: [{ use: { kind: 'no-replicas' }, ...brief }],
  timing: briefTiming,
  keys,
  service,
};
