import type { Scenario } from '../chaos/scenario.ts';
import { briefTiming, keys, service } from './defaults.ts';

export const crashLoop: Scenario = {
  name: 'crash-loop',
  family: 'redis',
  hypothesis:
    'When Redis is killed again whenever it has come back, no request is lost, and each kill is worth one bucket.',
  faults: [{ use: { kind: 'redis-kill' }, atMs: 6000, forMs: 900, every: { ms: 2000, times: 3 } }],
  timing: briefTiming,
  keys,
  service,
};
