// Waiting for something to become true: a bounded poll, for what has no event to await.

import { setTimeout as sleep } from 'node:timers/promises';

/** Only tells that something hangs, so as long as the busiest machine may need. No limit that a test is about. */
const hungMs = 60_000;

/** Resolves with the first value of `look` that is neither undefined nor false; rejects when none comes, saying `what` it was. */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const endMs = performance.now() + hungMs;
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > endMs) throw new Error(`did not come within ${hungMs / 1000} s: ${what}`);
    await sleep(5);
  }
}
