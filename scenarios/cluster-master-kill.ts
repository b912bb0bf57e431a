import type { Scenario } from '../chaos/scenario.ts';
import { failoverTiming, keys, once, service } from './defaults.ts';

export const clusterMasterKill: Scenario = {
  name: 'cluster-master-kill',
  family: 'topology',
  hypothesis:
    'When one master of three is killed, Redis goes on deciding for the keys of the other two. The fallback decides for the keys of the dead master until a replica takes over.',
  topology: 'cluster',
  faults: [{ use: { kind: 'master-kill' }, ...once, forMs: 7000 }],
  timing: failoverTiming,
  keys,
  service,
};
