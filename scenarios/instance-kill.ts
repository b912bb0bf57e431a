import type { Scenario } from '../chaos/scenario.ts';
import { keys, service, timing } from './defaults.ts';

export const instanceKill: Scenario = {
  name: 'instance-kill',
  family: 'process',
  hypothesis:
    'When one limiter is killed and started anew, only what was sent to it meanwhile is lost, and the other stays with Redis.',
  faults: [{ use: { kind: 'instance-kill' }, atMs: 6000, forMs: 2000 }],
  timing: { ...timing, durationMs: 22_000 },
  keys,
  service,
};
