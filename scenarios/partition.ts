import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const partition: Scenario = {
  name: 'partition',
  family: 'network',
  hypothesis: 'When every packet to and from Redis is dropped, each request is decided by the fallback in time.',
  faults: [{ use: { kind: 'partition' }, ...once }],
  timing,
  keys,
  service,
};
