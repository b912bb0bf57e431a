import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const blackhole: Scenario = {
  name: 'blackhole',
  family: 'network',
  hypothesis:
    'When a firewall drops every packet to and from Redis and nobody is told, each request is decided by the fallback in time.',
  faults: [{ use: { kind: 'blackhole' }, ...once }],
  timing,
  keys,
  service,
};
