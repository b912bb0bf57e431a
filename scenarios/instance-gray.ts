import type { Scenario } from '../chaos/scenario.ts';
import { eachPhaseTwice, keys, service, twiceTiming } from './defaults.ts';

export const instanceGray: Scenario = {
  name: 'instance-gray',
  family: 'process',
  hypothesis:
    'When one limiter stands still for half of the time, what was sent to it is late, and the other stays with Redis.',
  faults: [{ use: { kind: 'instance-gray', stopMs: 200, eachMs: 400 }, ...eachPhaseTwice }],
  timing: twiceTiming,
  keys,
  service,
};
