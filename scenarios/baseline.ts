import type { Scenario } from '../chaos/scenario.ts';
import { keys, service, timing } from './defaults.ts';

export const baseline: Scenario = {
  name: 'baseline',
  family: 'steady',
  hypothesis: 'With nothing broken, two instances share one bucket per key exactly, and p99 stays under 9 ms.',
  timing: { ...timing, durationMs: 12_000 },
  keys,
  service,
};
