import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const flapping: Scenario = {
  name: 'flapping',
  family: 'network',
  hypothesis: 'When the way to Redis is cut again and again, each request is decided in time, by whoever can.',
  faults: [{ use: { kind: 'partition' }, ...once, forMs: 1500, every: { ms: 4000, times: 3 } }],
  timing: { ...timing, durationMs: 18_000 },
  keys,
  service,
};
