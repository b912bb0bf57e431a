import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const failClosed: Scenario = {
  name: 'fail-closed',
  family: 'network',
  hypothesis:
    'Told to fail closed, the limiter refuses each request that Redis cannot decide, in time, and no request besides.',
  faults: [{ use: { kind: 'partition' }, ...once }],
  timing,
  keys,
  service,
  withoutStore: { answer: 'refuse' },
};
