import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const clockForward: Scenario = {
  name: 'clock-forward',
  family: 'redis',
  hypothesis:
    'When the clock of Redis is set a day forward, no key gets more than one bucket beyond its own, and Redis decides on.',
  faults: [{ use: { kind: 'clock-forward', forwardS: 86_400 }, ...once }],
  timing,
  keys,
  service,
};
