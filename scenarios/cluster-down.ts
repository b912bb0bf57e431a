import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const clusterDown: Scenario = {
  name: 'cluster-down',
  family: 'topology',
  hypothesis:
    'When a slot of a cluster has no master and every node refuses, the fallback decides each request in time.',
  topology: 'cluster',
  faults: [{ use: { kind: 'cluster-down' }, ...once }],
  timing,
  keys,
  service,
};
