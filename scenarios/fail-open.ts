import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const failOpen: Scenario = {
  name: 'fail-open',
  family: 'network',
  hypothesis:
    'Told to fail open, the limiter allows each request that Redis cannot decide, and never tells what remains of no bucket.',
  faults: [{ use: { kind: 'partition' }, ...once }],
  timing,
  keys,
  service,
  withoutStore: { answer: 'allow' },
};
