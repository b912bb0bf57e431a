import type { Scenario } from '../chaos/scenario.ts';
import { keys, service, timing } from './defaults.ts';

export const partition: Scenario = {
  name: 'partition',
  family: 'network',
  hypothesis: 'When every packet to and from Redis is dropped, each request is decided by the fallback in time.',
  fault: { kind: 'partition' },
  timing,
  keys,
  service,
};
