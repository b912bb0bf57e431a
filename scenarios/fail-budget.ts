import type { Scenario } from '../chaos/scenario.ts';
import { keys, service } from './defaults.ts';

export const failBudget: Scenario = {
  name: 'fail-budget',
  family: 'network',
  hypothesis: 'Told to fail open for 3 s of an outage, the limiter does so, and from then on its fallback decides.',
  // Only after 10 s with Redis it is sure that no earlier outage has used the budget up.
  faults: [{ use: { kind: 'partition' }, atMs: 12_500, forMs: 7000 }],
  timing: { warmupMs: 2000, durationMs: 24_000 },
  keys,
  service,
  withoutStore: { answer: 'allow', forMs: 3000 },
};
