import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const repliesLate: Scenario = {
  name: 'replies-late',
  family: 'network',
  hypothesis:
    'When Redis does what it is asked to and every reply is held back for up to 5 s, no request waits for one.',
  faults: [{ use: { kind: 'stall', direction: 'downstream' }, ...once }],
  timing,
  keys,
  service,
};
