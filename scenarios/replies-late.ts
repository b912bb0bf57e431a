import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

/** So long Toxiproxy takes to drop the replies that it holds for connections which the limiters have closed meanwhile. */
const dropMs = 5000;

export const repliesLate: Scenario = {
  name: 'replies-late',
  family: 'network',
  hypothesis:
    'When Redis does what it is asked to and every reply is held back for up to 5 s, no request waits for one.',
  faults: [{ use: { kind: 'stall', direction: 'downstream' }, ...once }],
  timing: { ...timing, durationMs: timing.durationMs + dropMs },
  keys,
  service,
};
