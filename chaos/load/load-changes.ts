// How the load of a run differs from the usual one, and when:
//
//   usual rate ─┐        ┌──────── usual
//               └ change ┘

import { UsageError } from '../errors.ts';
import type { LoadChange, Scenario } from '../scenario.ts';

export interface CurrentLoad extends Required<Pick<LoadChange, 'times' | 'keys' | 'again'>> {
  /** When it changes next; infinite when it does not. */
  readonly untilMs: number;
}

export function loadAt(changes: readonly LoadChange[], atMs: number): CurrentLoad {
  const now = changes.find((it) => it.atMs <= atMs && atMs < it.atMs + it.forMs);
  const starts = changes.flatMap((it) => (it.atMs > atMs ? [it.atMs] : []));
  const { times = 1, keys = 'popular', again = 0 } = now ?? {};
  return { times, keys, again, untilMs: Math.min(now ? now.atMs + now.forMs : Number.POSITIVE_INFINITY, ...starts) };
}

/** Throws a `UsageError` that names the scenario and the figure where the load cannot change as it says. */
export function seeToItThatPossible({ name, timing, load = [] }: Pick<Scenario, 'name' | 'timing' | 'load'>): void {
  for (const [i, change] of load.entries()) {
    const wrong = mistakeIn(change, load[i + 1], timing.durationMs);
    if (wrong !== undefined) throw new UsageError(`The scenario ${name} cannot be run: its load ${wrong}`);
  }
}

function mistakeIn(
  { atMs, forMs, times = 1, again = 0 }: LoadChange,
  next: LoadChange | undefined,
  durationMs: number,
) {
  const endMs = atMs + forMs;
  if (!(atMs >= 0)) return `is to change at ${atMs} ms; it can from 0 on.`;
  if (!(forMs > 0)) return `is to change for ${forMs} ms; it has to be longer than 0.`;
  if (!(endMs <= durationMs)) return `is to change until ${endMs} ms; the run ends at ${durationMs} ms.`;
  if (!(times > 0)) return `is to be ${times} times the usual; it has to be more than 0.`;
  if (!(Number.isInteger(again) && again >= 0))
    return `is to be sent ${again} times again; allowed: a whole number from 0.`;
  if (next && next.atMs < endMs)
    return `is to change at ${next.atMs} ms, before the change ends that ends at ${endMs} ms.`;
  return undefined;
}
