// Time that passes when a test says so, with everything that settles in between taking its effect.

import { vi } from 'vitest';

const realImmediate = setImmediate;

/** Puts the fake clock in place of timers and clocks until disposed of. */
export function fakeTime(): Disposable {
  vi.useFakeTimers();
  return {
    [Symbol.dispose]() {
      vi.clearAllTimers();
      vi.useRealTimers();
    },
  };
}

export const nowUs = (): number => performance.now() * 1000;

/** Lets every promise that is settled take effect. */
function settled(): Promise<void> {
  return new Promise((resolve) => realImmediate(resolve));
}

/** Lets `ms` pass, timer by timer. */
export async function pass(ms: number): Promise<void> {
  await settled();
  let isOver = false;
  setTimeout(() => {
    isOver = true;
  }, ms);
  while (!isOver) {
    vi.advanceTimersToNextTimer();
    await settled();
  }
}
