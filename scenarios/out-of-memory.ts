import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const outOfMemory: Scenario = {
  name: 'out-of-memory',
  family: 'redis',
  hypothesis: 'When Redis has no memory left and refuses every write, each request is decided by the fallback in time.',
  faults: [{ use: { kind: 'out-of-memory' }, ...once }],
  timing,
  keys,
  service,
};
