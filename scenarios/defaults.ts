// What scenarios share, so that each says only what makes it different.

import type { Scenario } from '../chaos/scenario.ts';

/** Thirty seconds in all, starting and ending the parts included. */
export const timing: Scenario['timing'] = { warmupMs: 3000, durationMs: 25_000 };

/** When a fault is put on that comes once, and for how long: after five seconds of baseline, with nine to recover in. */
export const once = { atMs: 8000, forMs: 8000 } as const;

/** With time in the fault for a replica to take over, and after it for the killed node to come back. */
export const failoverTiming: Scenario['timing'] = { ...timing, durationMs: 23_000 };

/** At 1,000 requests/s a third of these keys ask for more than the policy allows, the most popular for 75 times that. */
export const keys: Scenario['keys'] = { count: 400, skew: 1 };

/** 10 tokens per key, refilled in 5 s; two instances share the limit. */
export const service: Scenario['service'] = {
  RATE_LIMIT: '10',
  RATE_LIMIT_WINDOW_SEC: '5',
  RATE_LIMIT_BURST: '5',
  INSTANCES: '2',
};
