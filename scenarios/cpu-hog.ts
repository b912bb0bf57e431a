import type { Scenario } from '../chaos/scenario.ts';
import { eachPhaseTwice, keys, service, twiceTiming } from './defaults.ts';

export const cpuHog: Scenario = {
  name: 'cpu-hog',
  family: 'process',
  hypothesis:
    'When busy processes take the processor from one limiter, it answers late and nothing false, and the other stays with Redis.',
  faults: [{ use: { kind: 'cpu-hog', count: 8 }, ...eachPhaseTwice }],
  timing: twiceTiming,
  keys,
  service,
};
