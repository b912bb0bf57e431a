// Bound 3 for a target that does not say who decided, before the first fault: a store that has a limit refuses a key nothing
// until so much was given, whatever the algorithm of the limiter: token bucket, fixed or sliding windows. That
// holds for a key's first window alone; later, how much was given in one depends on the algorithm. What one instance took
// in advance is given before each has refused. One fallback that holds less may refuse too, so it takes many keys to tell,
// and a Redis that counts its commands and was asked for what was allowed.

import { type AnswerEvent, type History, isAllowed, isControl, isDenied } from '../history.ts';
import { sharedStoreName } from '../scenario.ts';
import { windowsOf } from './windows.ts';

export interface RefusedEarly {
  /** That every instance had refused within their first window, and those of them that were given too little until then. */
  readonly keys: number;
  readonly early: number;
  /** The refusal of the last instance to refuse. */
  readonly refusal: AnswerEvent;
  /** Requests for its key before it that were not refused. */
  readonly given: number;
  /** What is given by then at least. */
  readonly due: number;
}

const keysMin = 20;
const earlyShareMin = 0.9;
/** Of the allowed requests, as commands to Redis: one that decides by its fallback gives fewer. */
const askedShareMin = 0.9;

/** Undefined where that was not so, or nobody can tell. */
export function refusedEarly(history: History): RefusedEarly | undefined {
  const beginMs = Math.min(...windowsOf(history).map((window) => window.beginMs));
  const isOfFleet = ({ instance }: { readonly instance: string }) => !isControl(history, instance);
  const looks = history.storeUse.filter(({ instance, atMs }) => instance === sharedStoreName && atMs <= beginMs);
  const [from, to] = [looks[0], looks.at(-1)];
  const { leastCapacity: due, refillPerSecond } = history.run.bounds;
  if (!from || !to || due === undefined) return undefined;
  const answers = history.answers.filter((it) => isOfFleet(it) && it.receivedMs <= to.atMs);
  const allowed = answers.filter((it) => isAllowed(it) && it.sentMs >= from.atMs);
  if (to.commands - from.commands < askedShareMin * Math.max(allowed.length, 1)) return undefined;
  const fleet = history.run.instances.filter(({ control }) => !control).map(({ name }) => name);
  const windowMs = (due / refillPerSecond) * 1000;
  const ofKey = [...Map.groupBy(answers, ({ key }) => key).values()];
  const refused = ofKey.flatMap((its) => refusedByAll(its, fleet, windowMs));
  const early = refused.filter(({ given }) => given < due);
  const [first] = early.toSorted((a, b) => a.refusal.sentMs - b.refusal.sentMs);
  const isTelling = refused.length >= keysMin && early.length >= earlyShareMin * refused.length;
  return first && isTelling ? { ...first, due, keys: refused.length, early: early.length } : undefined;
}

/** When each instance had refused a key, if that was within a window of its first request. */
function refusedByAll(
  answers: readonly AnswerEvent[],
  fleet: readonly string[],
  windowMs: number,
): Pick<RefusedEarly, 'refusal' | 'given'>[] {
  const denied = answers.filter(isDenied).toSorted((a, b) => a.receivedMs - b.receivedMs);
  const firstOfEach = fleet.flatMap((name) => denied.find(({ instance }) => instance === name) ?? []);
  const refusal = firstOfEach.toSorted((a, b) => a.receivedMs - b.receivedMs).at(-1);
  const firstMs = Math.min(...answers.map(({ sentMs }) => sentMs));
  if (!refusal || firstOfEach.length < fleet.length || refusal.receivedMs - firstMs > windowMs) return [];
  const given = answers.filter((it) => !isDenied(it) && it.sentMs < refusal.receivedMs).length;
  return [{ refusal, given }];
}
