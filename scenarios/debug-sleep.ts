import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const debugSleep: Scenario = {
  name: 'debug-sleep',
  family: 'redis',
  hypothesis: 'When Redis sleeps for most of the time in the middle of its work, no request waits for it to wake.',
  faults: [{ use: { kind: 'debug-sleep', stopMs: 300, eachMs: 400 }, ...once }],
  timing,
  keys,
  service,
};
