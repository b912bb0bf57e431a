import type { Scenario } from '../chaos/scenario.ts';
import { failoverTiming, keys, once, service } from './defaults.ts';

export const clusterMasterKill: Scenario = {
  name: 'cluster-master-kill',
  family: 'topology',
  hypothesis:
    'When one master of three is killed, the keys of the other two stay with Redis, its own are decided by the fallback, and go back to Redis when its replica has taken over.',
  topology: 'cluster',
  faults: [{ use: { kind: 'master-kill' }, ...once, forMs: 7000 }],
  timing: failoverTiming,
  keys,
  service,
};
