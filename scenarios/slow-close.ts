import type { Scenario } from '../chaos/scenario.ts';
import { briefly, briefTiming, keys, service } from './defaults.ts';

export const slowClose: Scenario = {
  name: 'slow-close',
  family: 'network',
  hypothesis:
    'When Redis closes every connection and the limiters hear of it half a second later, no request waits on a dead one.',
  faults: [
    { use: { kind: 'slow-close', delayMs: 500 }, atMs: 4000, forMs: 8000 },
    { use: { kind: 'max-clients' }, ...briefly },
  ],
  timing: { ...briefTiming, durationMs: 17_000 },
  keys,
  service,
};
