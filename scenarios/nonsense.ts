import type { Scenario } from '../chaos/scenario.ts';
import { brief, briefTiming, keys, service } from './defaults.ts';

export const nonsense: Scenario = {
  name: 'nonsense',
  family: 'redis',
  hypothesis: 'When a program that is no Redis answers in its place, the fallback decides each request in time.',
  faults: [{ use: { kind: 'nonsense' }, ...brief }],
  timing: briefTiming,
  keys,
  service,
};
