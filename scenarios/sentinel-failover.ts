import type { Scenario } from '../chaos/scenario.ts';
import { failoverTiming, keys, once, service } from './defaults.ts';

export const sentinelFailover: Scenario = {
  name: 'sentinel-failover',
  family: 'topology',
  hypothesis:
    'When the master under Sentinel is killed, the fallback decides until the Sentinels name its replica. Then Redis decides again, without a restart of the limiter.',
  topology: 'sentinel',
  faults: [{ use: { kind: 'master-kill' }, ...once, forMs: 7000 }],
  timing: failoverTiming,
  keys,
  service,
};
