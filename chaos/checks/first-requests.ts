// Bound 3 for a target that does not say who decided. A refusal may be of any bucket of its key, and how much another one
// held nobody can tell. But before the first request for a key all its buckets are full, the store's as the fallbacks'.

import { type AnswerEvent, type History, isControl, isDenied } from '../history.ts';

/** The refusals of requests before whose receipt nobody else asked for the key: of the fleet, or of the control, which has a store of its own. */
export function refusedAtFirst(history: History): AnswerEvent[] {
  const { bounds } = history.run;
  if (Math.min(bounds.capacity, bounds.fallbackCapacity) < 1) return [];
  const emptiedMs = Math.min(
    ...history.faults.flatMap(({ state, beginMs }) => (state === 'perhaps-emptied' ? [beginMs] : [])),
  );
  const ofKey = Map.groupBy(history.answers, ({ key, instance }) => `${isControl(history, instance)} ${key}`);
  return [...ofKey.values()].flatMap((answers) => {
    const [first, second] = answers.toSorted((a, b) => a.sentMs - b.sentMs);
    const isAlone = first && !(second && second.sentMs <= first.receivedMs);
    return isAlone && isDenied(first) && first.receivedMs < emptiedMs ? [first] : [];
  });
}
