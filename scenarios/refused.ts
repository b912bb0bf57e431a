import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const refused: Scenario = {
  name: 'refused',
  family: 'network',
  hypothesis: 'When Redis refuses every connection, each request is decided by the fallback in time.',
  faults: [{ use: { kind: 'down' }, ...once }],
  timing,
  keys,
  service,
};
