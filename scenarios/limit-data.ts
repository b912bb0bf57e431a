import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const limitData: Scenario = {
  name: 'limit-data',
  family: 'network',
  hypothesis:
    'When every connection to Redis ends in the middle of its first reply, no half reply is taken for a decision.',
  faults: [{ use: { kind: 'limit-data', bytes: 3 }, ...once }],
  timing,
  keys,
  service,
};
