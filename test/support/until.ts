// Waiting for something to become true: a bounded poll, for what has no event to await.

import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves with the first value of `look` that is neither undefined nor false; rejects after `withinMs`, saying `what` did not come. */
export async function until<T>(
  what: string,
  withinMs: number,
  look: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const endMs = performance.now() + withinMs;
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > endMs) throw new Error(`did not come within ${withinMs} ms: ${what}`);
    await sleep(5);
  }
}
