import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const plannedFailover: Scenario = {
  name: 'planned-failover',
  family: 'topology',
  hypothesis:
    'When the Sentinels give the role of the master to its replica as planned, each request is decided in time, and Redis decides again without a restart of the limiter.',
  topology: 'sentinel',
  faults: [{ use: { kind: 'planned-failover' }, ...once }],
  timing,
  keys,
  service,
};
