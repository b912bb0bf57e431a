// The answers of one instance in the order in which they were sent. Sorted once for all the checks that ask.

import { countBelow } from '../ascending.ts';
import type { AnswerEvent, History } from '../history.ts';

const known = new WeakMap<readonly AnswerEvent[], ReadonlyMap<string, readonly AnswerEvent[]>>();

export function answersOf({ answers }: Pick<History, 'answers'>, instance: string): readonly AnswerEvent[] {
  let its = known.get(answers);
  if (!its) {
    its = Map.groupBy(answers, (answer) => answer.instance);
    for (const ofOne of its.values()) (ofOne as AnswerEvent[]).sort((a, b) => a.sentMs - b.sentMs);
    known.set(answers, its);
  }
  return its.get(instance) ?? [];
}

/** Those that were sent at the earliest at one instant, and answered at the latest at another. */
export function answersWithin(
  history: Pick<History, 'answers'>,
  instance: string,
  fromMs: number,
  toMs: number,
): AnswerEvent[] {
  const its = answersOf(history, instance);
  const first = countBelow(its, fromMs, ({ sentMs }) => sentMs);
  const within: AnswerEvent[] = [];
  for (let i = first; i < its.length; i++) {
    const answer = its[i] as AnswerEvent;
    if (answer.sentMs > toMs) break;
    if (answer.receivedMs <= toMs) within.push(answer);
  }
  return within;
}
