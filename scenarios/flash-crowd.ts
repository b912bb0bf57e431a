import type { Scenario } from '../chaos/scenario.ts';
import { keys, service, timing } from './defaults.ts';

export const flashCrowd: Scenario = {
  name: 'flash-crowd',
  family: 'load',
  hypothesis: 'When ten times as many come from one instant to the next, each request is decided in time, by Redis.',
  load: [
    { atMs: 0, forMs: 6000, times: 0.15 },
    { atMs: 6000, forMs: 4000, times: 1.5 },
    { atMs: 10_000, forMs: 4000, times: 0.15 },
  ],
  timing,
  keys,
  service,
};
