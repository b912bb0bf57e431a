// What an instance says that cannot decide by its store: its fallback decides; or, where the limiter was told so, it allows
// or refuses without any bucket, and does so until the outage's budget is used up.
//
//   first answer without the store ── forMs ──▶ the fallback from here on, until the outage is over
//
// An outage is over when the store answers and has failed nothing for 10 s. When it began is only known to lie between the
// sending and the receipt of the first answer without the store, so near the end of its budget either may answer.

import { driftRatioOf } from '../bounds.ts';
import { type AnswerEvent, type History, isAllowed, isDenied, type StoreErrorsEvent } from '../history.ts';
import { clockMsMax } from './calm.ts';
import { windowsOf } from './windows.ts';

const calmMs = 10_000;
/** Of the limiter's arithmetic. */
const roundingMs = 1;

/** Whether something else than the store answered, and said so. */
export function isWithoutStore({ source }: Pick<AnswerEvent, 'source'>): boolean {
  return source === 'local' || source === 'none';
}

/** Whether an answer is one that an instance may give which cannot decide by its store. */
export function asToldIn(history: History): (answer: AnswerEvent) => boolean {
  const { withoutStore } = history.run;
  if (withoutStore === undefined) return ({ source }) => source === 'local';
  const isTold = withoutStore.answer === 'allow' ? isAllowed : isDenied;
  const budget = budgetIn(history);
  return (answer) => {
    if (answer.source === 'none') return isTold(answer) && budget(answer) !== 'over';
    return answer.source === 'local' && budget(answer) !== 'left';
  };
}

/** Who answers without the store, in words. */
export function standInOf({ run: { withoutStore } }: History): string {
  if (withoutStore === undefined) return 'by fallback';
  const { answer, forMs } = withoutStore;
  const told = answer === 'allow' ? 'with all allowed' : 'with all refused';
  return forMs === undefined ? told : `${told} for ${forMs / 1000} s, then by fallback`;
}

/** `unsure`: as far as the record goes, it may be used up or not. */
type Budget = 'left' | 'over' | 'unsure';

function budgetIn(history: History): (answer: AnswerEvent) => Budget {
  const { forMs } = history.run.withoutStore ?? {};
  if (forMs === undefined) return () => 'left';
  // A process that starts anew, and another Redis, begin with an outage of their own.
  const isOfOne =
    history.run.planned?.placed !== true &&
    history.placement === undefined &&
    history.failover === undefined &&
    windowsOf(history).every(({ effect }) => effect !== 'unavailable');
  if (!isOfOne) return () => 'unsure';
  const outages = new Map(history.run.instances.map(({ name }) => [name, outagesOf(history, name)]));
  const slackMs = forMs * driftRatioOf(history.run.bounds) + roundingMs;
  return ({ instance, sentMs, receivedMs }) => {
    const outage = outages.get(instance)?.findLast(({ firstMs }) => firstMs <= sentMs);
    if (outage === undefined) return 'unsure';
    if (sentMs > outage.knownMs + forMs + slackMs) return 'over';
    return receivedMs < outage.sinceMs + forMs - slackMs ? 'left' : 'unsure';
  };
}

interface Outage {
  /** When its first answer was sent. */
  readonly firstMs: number;
  /** It began then at the earliest; long ago when it may be one that began before. */
  readonly sinceMs: number;
  /** It had begun by then. */
  readonly knownMs: number;
}

/** Of one instance, in order of time. An answer that says nothing may tell of one, or not. */
function outagesOf(history: History, instance: string): Outage[] {
  const its = history.answers
    .filter((it) => it.instance === instance && it.source !== 'shared')
    .sort((a, b) => a.sentMs - b.sentMs);
  const calms = history.answers.filter((it) => it.instance === instance && it.source === 'shared');
  const outages: Outage[] = [];
  let lastSentMs = Number.NEGATIVE_INFINITY;
  let lastReceivedMs = 0; // what was before the record, nobody knows
  for (const answer of its) {
    const { sentMs, receivedMs } = answer;
    const isSame = receivedMs - lastSentMs < calmMs;
    if (isWithoutStore(answer)) {
      if (!isSame) {
        const calmFromMs = lastReceivedMs + calmMs * (1 + driftRatioOf(history.run.bounds));
        const isNew = calms.some((calm) => calm.sentMs >= calmFromMs && calm.receivedMs <= sentMs);
        outages.push({ firstMs: sentMs, sinceMs: isNew ? sentMs : Number.NEGATIVE_INFINITY, knownMs: receivedMs });
      }
      lastSentMs = sentMs;
    }
    lastReceivedMs = Math.max(lastReceivedMs, receivedMs);
  }
  return outages;
}

/**
 * Whether the instance surely had its store then: its breaker was closed, and it counted no call that failed. Counts are
 * scraped one after another, each some time after its instant, so the last one before the answer may be of later.
 */
export function hadStoreIn(history: History): (answer: AnswerEvent) => boolean {
  const counts = Map.groupBy(history.storeErrors, ({ instance }) => instance);
  const moves = Map.groupBy(history.breaker, ({ instance }) => instance);
  const reports = new Map(history.run.instances.map(({ name, reportsBreaker }) => [name, reportsBreaker]));
  return ({ instance, sentMs, receivedMs }) => {
    const its = counts.get(instance) ?? [];
    const last = its.findLastIndex(({ atMs }) => atMs <= sentMs - clockMsMax);
    const [before, after] = [its[last - 1], its.find(({ atMs }) => atMs >= receivedMs + clockMsMax)];
    if (!before || !after || reports.get(instance) !== true) return false;
    const [fromMs, toMs] = [before.atMs - clockMsMax, after.atMs + clockMsMax];
    const told = moves.get(instance) ?? [];
    const state = told.findLast(({ atMs }) => atMs < fromMs)?.to ?? told[0]?.from ?? 'closed';
    const stayed = told.every(({ atMs }) => atMs < fromMs || atMs > toMs);
    return state === 'closed' && stayed && failedIn(before) === failedIn(after);
  };
}

/** Calls to its store that an instance has counted as failed by then, for any reason. */
export function failedIn({ totals }: StoreErrorsEvent): number {
  return Object.values(totals).reduce((all, count) => all + count, 0);
}
