// What a machine took from those who run on it while somebody looked: of the processors, what a host gave to others
// (`steal`, proc_stat(5)); of this process, the longest time it was not let run. A test of deadlines that finds much of
// either looks again.

import { readFileSync } from 'node:fs';

const lookEveryMs = 10;
/** Of `/proc/stat` (USER_HZ). */
const tickMs = 10;

export interface Noise {
  /** Of all processors together. */
  readonly stolenMs: number;
  readonly longestGapMs: number;
}

/** Looks from now on; the function that it returns ends that, and says what was seen. */
export function watchNoise(): () => Noise {
  const stolenBefore = stolenTicks();
  let [lastMs, longestGapMs] = [performance.now(), 0];
  const look = () => {
    const nowMs = performance.now();
    longestGapMs = Math.max(longestGapMs, nowMs - lastMs - lookEveryMs);
    lastMs = nowMs;
  };
  const timer = setInterval(look, lookEveryMs);
  return () => {
    clearInterval(timer);
    look();
    return { stolenMs: (stolenTicks() - stolenBefore) * tickMs, longestGapMs: Math.round(longestGapMs) };
  };
}

/** 0 where the kernel does not tell. */
function stolenTicks(): number {
  try {
    return Number(/^cpu +(?:\d+ +){7}(\d+)/.exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
