import type { Scenario } from '../chaos/scenario.ts';
import { briefTiming, keys, once, service } from './defaults.ts';

const aloneMs = 2000;

export const slowClose: Scenario = {
  name: 'slow-close',
  family: 'network',
  hypothesis:
    'When Redis closes every connection and the limiters hear of it half a second later, no request waits on a dead one.',
  faults: [
    // Each is alone for long enough to be seen by itself.
    { use: { kind: 'slow-close', delayMs: 500 }, ...once },
    { use: { kind: 'max-clients' }, atMs: once.atMs + aloneMs, forMs: once.forMs },
  ],
  timing: briefTiming,
  keys,
  service,
};
