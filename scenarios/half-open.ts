import type { Scenario } from '../chaos/scenario.ts';
import { eachPhaseTwice, keys, service, twiceTiming } from './defaults.ts';

export const halfOpen: Scenario = {
  name: 'half-open',
  family: 'clients',
  hypothesis:
    'When half of the clients of one instance are gone and nobody says so, those of the other are answered as quickly as ever.',
  faults: [{ use: { kind: 'half-open', share: 0.5 }, on: 'one-front-link', ...eachPhaseTwice }],
  timing: twiceTiming,
  keys,
  service,
};
