import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const deadConnections: Scenario = {
  name: 'dead-connections',
  family: 'network',
  hypothesis: 'When half of the connections to Redis are dead, no request waits for one of them.',
  faults: [{ use: { kind: 'dead-connections', share: 0.5 }, ...once }],
  timing,
  keys,
  service,
};
