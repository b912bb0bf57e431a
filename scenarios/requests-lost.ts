import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const requestsLost: Scenario = {
  name: 'requests-lost',
  family: 'network',
  hypothesis: 'When Redis hears of no request any more, each one is decided by the fallback in time.',
  faults: [{ use: { kind: 'partition', direction: 'upstream' }, ...once }],
  timing,
  keys,
  service,
};
