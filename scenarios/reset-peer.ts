import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const resetPeer: Scenario = {
  name: 'reset-peer',
  family: 'network',
  hypothesis: 'When every connection to Redis is reset, old or new, each request is decided by the fallback in time.',
  faults: [{ use: { kind: 'reset-peer' }, ...once }],
  timing,
  keys,
  service,
};
