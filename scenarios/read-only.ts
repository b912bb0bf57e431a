import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const readOnly: Scenario = {
  name: 'read-only',
  family: 'redis',
  hypothesis: 'When Redis becomes a replica and refuses every write, the fallback decides until it is a master again.',
  faults: [{ use: { kind: 'read-only' }, ...once }],
  timing,
  keys,
  service,
};
