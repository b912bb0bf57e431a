import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

const healMs = once.atMs + once.forMs;

export const herd: Scenario = {
  name: 'herd',
  family: 'load',
  hypothesis:
    'When everybody comes back at the very moment that Redis does, each request is decided in time, and Redis within its bound.',
  faults: [{ use: { kind: 'partition' }, ...once }],
  load: [
    { atMs: 0, forMs: healMs, times: 0.6 },
    { atMs: healMs, forMs: 1000, times: 2 },
    { atMs: healMs + 1000, forMs: 3500, times: 0.6 },
  ],
  timing,
  keys,
  service,
};
