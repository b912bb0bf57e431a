import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const impatientClients: Scenario = {
  name: 'impatient-clients',
  family: 'load',
  hypothesis:
    'When Redis is cut off and every client asks three times more at once, whatever it is told, the bounds hold and nobody waits.',
  faults: [{ use: { kind: 'partition' }, ...once }],
  load: [{ ...once, times: 0.4, again: 3 }],
  timing,
  keys,
  service,
};
