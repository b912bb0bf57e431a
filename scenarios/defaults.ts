// What scenarios share, so that each says only what makes it different.

import type { Scenario } from '../chaos/scenario.ts';

/** Twenty seconds in all, starting and ending the parts included. At 1,000 requests/s no phase has fewer than 1,000 answers. */
export const timing: Scenario['timing'] = { warmupMs: 2000, durationMs: 14_000 };

/** When a fault is put on that comes once, and for how long. A limiter takes 2.2 s at most to be back, and has 4.5. */
export const once = { atMs: 4500, forMs: 5000 } as const;

/** Where four seconds in the fault tell enough: twenty in all. */
export const brief = { atMs: 6000, forMs: 4000 } as const;
export const briefTiming: Scenario['timing'] = { ...timing, durationMs: 16_000 };

/** What is over at once, three times, with time between them to see what it did. */
export const thrice = { atMs: 5500, forMs: 1500, every: { ms: 3000, times: 3 } } as const;

/** Where only the other instance's answers count: the phases have twice the time, so that half of the answers are enough. */
export const eachPhaseTwice = { ...once, forMs: 3000, every: { ms: 6500, times: 2 } } as const;
export const twiceTiming: Scenario['timing'] = { ...timing, durationMs: 18_000 };

/** With time in the fault for a replica to take over, and after it for the killed node to come back. */
export const failoverTiming: Scenario['timing'] = { ...timing, durationMs: 17_000 };

/** At 1,000 requests/s a third of these keys ask for more than the policy allows, the most popular for 75 times that. */
export const keys: Scenario['keys'] = { count: 400, skew: 1 };

/** 10 tokens per key, refilled in 5 s; two instances share the limit. */
export const service: Scenario['service'] = {
  RATE_LIMIT: '10',
  RATE_LIMIT_WINDOW_SEC: '5',
  RATE_LIMIT_BURST: '5',
  INSTANCES: '2',
};
