import type { Scenario } from '../chaos/scenario.ts';
import { failoverTiming, keys, once, service } from './defaults.ts';

export const staleFailover: Scenario = {
  name: 'stale-failover',
  family: 'topology',
  hypothesis:
    'When a replica takes over that lagged 1.5 s behind its master, no key gets more than one bucket beyond its own.',
  topology: 'sentinel',
  faults: [{ use: { kind: 'stale-failover', lagMs: 1500 }, ...once, forMs: 7000 }],
  timing: failoverTiming,
  keys,
  service,
};
