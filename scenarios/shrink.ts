// A schedule that fails made as small as still fails: first fewer faults, then shorter ones. `fails` is a run, or several.

import type { ScheduledFault } from '../chaos/scenario.ts';

type Fails<T> = (some: readonly T[]) => Promise<boolean>;

/** No fault is made shorter: in less, it may not be seen. */
const shortestMs = 1500;

/**
 * The fewest of the things that still fail, and none of which can be left out: delta debugging (Zeller and Hildebrandt,
 * 2002), on the assumption that all of them fail. `fails` is asked for each set once.
 */
export async function fewest<T>(things: readonly T[], fails: Fails<T>): Promise<readonly T[]> {
  let left = things;
  for (let parts = 2; left.length > 1; ) {
    const size = Math.ceil(left.length / parts);
    const chunks = Array.from({ length: Math.ceil(left.length / size) }, (_, i) =>
      left.slice(i * size, (i + 1) * size),
    );
    const smaller = await firstThat(chunks, fails);
    if (smaller) {
      [left, parts] = [smaller, 2];
      continue;
    }
    const without = chunks.length > 2 ? chunks.map((_, i) => chunks.toSpliced(i, 1).flat()) : [];
    const complement = await firstThat(without, fails);
    if (complement) [left, parts] = [complement, Math.max(parts - 1, 2)];
    else if (parts >= left.length) break;
    else parts = Math.min(parts * 2, left.length);
  }
  return left;
}

/** Each fault, in turn, halved in length as long as the schedule still fails. */
export async function shortest(
  faults: readonly ScheduledFault[],
  fails: Fails<ScheduledFault>,
): Promise<readonly ScheduledFault[]> {
  let left = faults;
  for (const [i, fault] of faults.entries()) {
    for (let forMs = Math.round(fault.forMs / 2); forMs >= shortestMs; forMs = Math.round(forMs / 2)) {
      const shorter = left.with(i, { ...fault, forMs });
      if (!(await fails(shorter))) break;
      left = shorter;
    }
  }
  return left;
}

async function firstThat<T>(sets: readonly (readonly T[])[], fails: Fails<T>): Promise<readonly T[] | undefined> {
  for (const set of sets) if (await fails(set)) return set;
  return undefined;
}
