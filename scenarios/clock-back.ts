import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const clockBack: Scenario = {
  name: 'clock-back',
  family: 'redis',
  hypothesis:
    'When the clock of Redis is set a day back, Redis decides on, and no client waits for longer than an empty bucket takes to be full.',
  faults: [{ use: { kind: 'clock-back', backS: 86_400 }, ...once }],
  timing,
  keys,
  service,
};
