import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const slotMigration: Scenario = {
  name: 'slot-migration',
  family: 'topology',
  hypothesis:
    'When slots of a cluster move to another master and back, no bucket is lost, and each request is decided in time.',
  topology: 'cluster',
  faults: [{ use: { kind: 'slot-migration', slots: 4 }, ...once }],
  timing,
  keys,
  service,
};
