import type { Scenario } from '../chaos/scenario.ts';
import { eachPhaseTwice, keys, service, twiceTiming } from './defaults.ts';

export const clientResets: Scenario = {
  name: 'client-resets',
  family: 'clients',
  hypothesis:
    'When the clients of one instance reset every connection, those of the other are answered as quickly as ever.',
  faults: [{ use: { kind: 'client-resets' }, on: 'one-front-link', ...eachPhaseTwice }],
  timing: twiceTiming,
  keys,
  service,
};
