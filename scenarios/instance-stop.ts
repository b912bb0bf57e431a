import type { Scenario } from '../chaos/scenario.ts';
import { keys, service, timing } from './defaults.ts';

export const instanceStop: Scenario = {
  name: 'instance-stop',
  family: 'process',
  hypothesis:
    'When one limiter stands still for seconds, only what was sent to it meanwhile is late, and the other stays with Redis.',
  faults: [{ use: { kind: 'instance-stop' }, atMs: 6000, forMs: 3000 }],
  timing: { ...timing, durationMs: 22_000 },
  keys,
  service,
};
