// Bound 7 for a target that does not say who decided. Whether Redis decides again nobody can tell then, but whether it is
// asked: it counts its commands, and may know whose connections were just used. From when a sound limiter must be back it is
// asked, and by a breaker that waits anew at least now and then. A limiter that gives it no command any more, and gave it
// some all the time before, has not come back; nor has one of its instances.

import { type AnswerEvent, type History, isAllowed, isControl, type StoreUseEvent } from '../history.ts';
import { sharedStoreName } from '../scenario.ts';
import { wasCalm } from './calm.ts';
import { type CheckResult, notApplicable, type Verdict } from './check.ts';
import { callEveryMsMax, recoveryMsMax } from './recovery-times.ts';
import { cutOffs, hits, type Window, windowsOf } from './windows.ts';

const name = 'recovery';
/** Of what is counted in place of a time; the limit is the least that is asked for. */
export const askedUnits: ReadonlySet<string> = new Set(['commands', 'looks']);
/** Fewer may have been allowed by what an instance knew of their keys. */
const allowedMin = 100;

export function recoveryWithoutSource(history: History): CheckResult {
  const looks = history.storeUse.filter(({ instance }) => !isControl(history, instance));
  const after = [...Map.groupBy(looks, ({ instance }) => instance)].flatMap(([by, its]) =>
    afterHeals(history, by, its),
  );
  const [least] = after.toSorted((a, b) => givenIn(a.looks) - givenIn(b.looks));
  if (!least) return notApplicable(name, 'the target does not say who decided');
  const commands = givenIn(least.looks);
  const span = least.looks.map(({ atMs }) => (atMs / 1000).toFixed(1));
  const stretch = `${least.by === sharedStoreName ? '' : `by ${least.by} `}from ${span[0]} to ${span.at(-1)} s`;
  const unit = least.by === sharedStoreName ? 'commands' : 'looks';
  const state = (verdict: Verdict, detail: string): CheckResult => ({
    ...{ name, phase: 'recovered', verdict, measured: commands, limit: 1, unit, detail },
  });
  if (commands > 0) return state('pass', `Redis was asked ${stretch}; what it decided the target does not say`);
  const detail = `Redis was asked nothing ${stretch}, though requests were allowed`;
  return wasCalm(history)
    ? state('fail', detail)
    : state('unknown', `${detail}; the control was slow over the whole run`);
}

type Looks = readonly StoreUseEvent[];

interface Asked {
  /** Who had to ask: one instance, or `sharedStoreName` when any may have. */
  readonly by: string;
  readonly looks: Looks;
}

/** After each fault that cut all of them off, what can tell. */
function afterHeals(history: History, by: string, looks: Looks): Asked[] {
  const isHit = (window: Window) =>
    by === sharedStoreName
      ? window.reach === 'store-links' || window.reach === 'shared-store' // of those, all instances are hit
      : hits(window, by);
  const usualMs = longestUnaskedMs(looks.filter(({ atMs }) => atMs < firstBeginMs(history)));
  const longEnoughMs = Math.max(1.5 * callEveryMsMax(history.run.bounds), 2 * usualMs);
  return cutOffs(history)
    .filter(isHit)
    .map((window) => ({ by, looks: looksAfter(history, window, by, looks) }))
    .filter((asked) => isTelling(history, asked, longEnoughMs));
}

function firstBeginMs(history: History): number {
  return Math.min(...windowsOf(history).map(({ beginMs }) => beginMs));
}

/** The longest time that may have been without a command; without an end where there are too few looks to tell. */
function longestUnaskedMs(looks: Looks): number {
  const [first, last] = [looks[0], looks.at(-1)];
  if (!first || !last || givenIn(looks) <= 0) return Number.POSITIVE_INFINITY;
  let [longestMs, sinceMs] = [0, first.atMs];
  looks.forEach((look, i) => {
    longestMs = Math.max(longestMs, look.atMs - sinceMs);
    const before = looks[i - 1] ?? look;
    if (look.commands > before.commands) sinceMs = before.atMs; // some time between
  });
  return longestMs;
}

/** From when the limiter must be back until the next fault. */
function looksAfter(history: History, { healedMs }: Window, by: string, looks: Looks): Looks {
  const fromMs = healedMs + recoveryMsMax(history.run.bounds);
  const others = windowsOf(history).filter(
    (it) => it.effect !== 'none' && it.healedMs > healedMs && (by === sharedStoreName || hits(it, by)),
  );
  const toMs = Math.min(...others.map(({ beginMs }) => beginMs));
  return looks.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs);
}

/** A Redis that was started anew has begun to count anew. */
function isTelling(history: History, { by, looks }: Asked, longEnoughMs: number): boolean {
  const [first, last] = [looks[0], looks.at(-1)];
  if (!first || !last || last.atMs - first.atMs < longEnoughMs || givenIn(looks) < 0) return false;
  const isOf = ({ instance }: AnswerEvent) =>
    by === sharedStoreName ? !isControl(history, instance) : instance === by;
  const allowed = history.answers.filter(
    (it) => isAllowed(it) && isOf(it) && it.sentMs >= first.atMs && it.receivedMs <= last.atMs,
  );
  return allowed.length >= allowedMin;
}

function givenIn(looks: Looks): number {
  return (looks.at(-1)?.commands ?? 0) - (looks[0]?.commands ?? 0);
}
