// Bound 3 for a target that does not say who decided, before the first fault: a store that gives a key its capacity refuses
// it nothing until so much was given, whatever the algorithm of the limiter. One fallback that holds less may. So it takes
// more than one refusal to tell, and a Redis that counts its commands and was asked for what was allowed.

import { type AnswerEvent, type History, isAllowed, isControl, isDenied } from '../history.ts';
import { wasCalm } from './calm.ts';
import { windowsOf } from './windows.ts';

export interface RefusedEarly {
  /** That were refused at all, and those of them whose first refusal came too early. */
  readonly keys: number;
  readonly early: number;
  readonly first: AnswerEvent;
  /** Requests for its key before it that were not refused. */
  readonly given: number;
}

const keysMin = 20;
const earlyShareMin = 0.9;
/** Of the allowed requests, as commands to Redis: one that hands out in advance what it took at once gives fewer. */
const askedShareMin = 0.9;

/** Undefined where that was not so, or nobody can tell. */
export function refusedEarly(history: History): RefusedEarly | undefined {
  const beginMs = Math.min(...windowsOf(history).map((window) => window.beginMs));
  const isOfFleet = ({ instance }: { readonly instance: string }) => !isControl(history, instance);
  const looks = history.storeUse.filter((look) => isOfFleet(look) && look.atMs <= beginMs);
  const [from, to] = [looks[0], looks.at(-1)];
  if (!from || !to || !wasCalm(history)) return undefined;
  const answers = history.answers.filter((it) => isOfFleet(it) && it.receivedMs <= to.atMs);
  const allowed = answers.filter((it) => isAllowed(it) && it.sentMs >= from.atMs);
  if (to.commands - from.commands < askedShareMin * Math.max(allowed.length, 1)) return undefined;
  const refused = [...Map.groupBy(answers, ({ key }) => key).values()].flatMap(firstRefusal);
  const early = refused.filter(({ given }) => given < history.run.bounds.capacity);
  const [first] = early.toSorted((a, b) => a.first.sentMs - b.first.sentMs);
  const isTelling = refused.length >= keysMin && early.length >= earlyShareMin * refused.length;
  return first && isTelling ? { ...first, keys: refused.length, early: early.length } : undefined;
}

function firstRefusal(answers: readonly AnswerEvent[]): Pick<RefusedEarly, 'first' | 'given'>[] {
  const [first] = answers.filter(isDenied).toSorted((a, b) => a.receivedMs - b.receivedMs);
  if (!first) return [];
  const given = answers.filter((it) => !isDenied(it) && it.sentMs < first.receivedMs).length;
  return [{ first, given }];
}
