import type { Scenario } from '../chaos/scenario.ts';
import { briefly, briefTiming, keys, service } from './defaults.ts';

export const deadConnections: Scenario = {
  name: 'dead-connections',
  family: 'network',
  hypothesis: 'When half of the connections to Redis are dead, no request waits for one of them.',
  faults: [{ use: { kind: 'dead-connections', share: 0.5 }, ...briefly }],
  timing: briefTiming,
  keys,
  service,
};
