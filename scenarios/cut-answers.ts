import type { Scenario } from '../chaos/scenario.ts';
import { eachPhaseTwice, keys, service, twiceTiming } from './defaults.ts';

export const cutAnswers: Scenario = {
  name: 'cut-answers',
  family: 'clients',
  hypothesis:
    'When every answer of one instance is cut off in the middle, the clients of the other get theirs as quickly as ever.',
  faults: [{ use: { kind: 'cut-answers', bytes: 40 }, on: 'one-front-link', ...eachPhaseTwice }],
  timing: twiceTiming,
  keys,
  service,
};
