import type { Scenario } from '../chaos/scenario.ts';
import { eachPhaseTwice, keys, service, twiceTiming } from './defaults.ts';

export const slowClients: Scenario = {
  name: 'slow-clients',
  family: 'clients',
  hypothesis: 'When the clients of one instance read slowly, those of the other are answered as quickly as ever.',
  faults: [{ use: { kind: 'slow-clients', kilobytesPerSecond: 2 }, on: 'one-front-link', ...eachPhaseTwice }],
  timing: twiceTiming,
  keys,
  service,
};
