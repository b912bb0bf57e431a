// While Redis cannot answer, the fallback does, or what the limiter was told does; once it can again, Redis does. Where one Redis takes another's place, that
// is when "again" begins, and from then on the killed one may come back as it likes.

import { type AnswerEvent, type History, phasesByName, type Stretch } from '../history.ts';
import type { Effect, PhaseName } from '../scenario.ts';
import { latenessOf } from './calm.ts';
import { type Check, type CheckResult, notApplicable, severityOf } from './check.ts';
import { bit } from './fault-bit.ts';
import { oneOpeningMs } from './lapses.ts';
import { isWithoutSuccessor, reachOf } from './outage.ts';
import { recoveryMsMax } from './recovery-times.ts';
import { judgeShare, shareMin } from './share.ts';
import { isWithoutStore, standInOf } from './store-failure.ts';
import { controlStallMs, openByMs, slackMs } from './trip.ts';
import { cutOffs, effectIn, hits, type Window, windowsOf, without } from './windows.ts';

const name = 'fails-open';

export const failsOpen: Check = {
  name,
  property:
    'the fallback gives 99 % of the answers while a fault cuts Redis off; Redis gives 99 % before it and after the recovery',
  needs: ['source'],
  judge(history: History): CheckResult[] {
    return [...phasesByName(history)].flatMap(([phase, stretches]): CheckResult[] => {
      if (phase === 'baseline') return [redis(history, phase, stretches)];
      if (isWithoutSuccessor(history)) return [];
      if (phase === 'onset') return onceOpen(history, stretches);
      if (phase === 'fault') return duringFault(history, stretches);
      if (phase !== 'recovered') return [];
      const detail = history.failover ? 'answered by the store from the failover to the end' : undefined;
      return [redis(history, phase, withRedisAgain(history, stretches), detail)];
    });
  },
};

/** In the second of an injection, from when every breaker has to be open. */
function onceOpen(history: History, stretches: readonly Stretch[]): CheckResult[] {
  if (history.run.schedule.length === 0) return [];
  const open = cutOffs(history).flatMap((window): Stretch[] => {
    const hit = history.run.instances.filter(({ name, control }) => !control && hits(window, name));
    const startMs = Math.max(...hit.map(({ name }) => openFromMs(history, name, window)));
    const endMs = Math.min(window.healMs, history.failover?.beginMs ?? Number.POSITIVE_INFINITY);
    return stretches
      .filter((onset) => onset.startMs <= window.biteMs && window.biteMs < onset.endMs && startMs < onset.endMs)
      .map((onset) => ({ startMs, endMs: Math.min(endMs, onset.endMs) }));
  });
  if (open.length === 0) return [];
  const result = fallback(history, 'onset', open, `answered ${standInOf(history)} once every breaker had to be open`);
  const stallMs = Math.max(...open.map(({ startMs, endMs }) => controlStallMs(history, startMs, endMs)));
  if (result.verdict === 'pass' && !usesBudget(history, open)) {
    const detail = `${result.detail}; what failed before the fault had used up the time of another answer than the fallback's`;
    return [{ ...result, verdict: 'unknown', detail }];
  }
  if (result.verdict !== 'fail' || stallMs <= slackMs) return [result];
  const detail = `${result.detail}; the control arm stalled for ${latenessOf(stallMs)} at the same time`;
  return [{ ...result, verdict: 'unknown', detail }];
}

/** Where there is a time for it, whether anybody was answered without a bucket: or a pass would tell of the fallback alone. */
function usesBudget({ answers, run }: History, stretches: readonly Stretch[]): boolean {
  return (
    run.withoutStore?.forMs === undefined ||
    answers.some(
      ({ source, scheduledMs }) =>
        source === 'none' && stretches.some(({ startMs, endMs }) => scheduledMs >= startMs && scheduledMs < endMs),
    )
  );
}

/** Between the instant that an instance says and the one that its client sees. */
const clockMsMax = 10;

/** The instant from which nothing but the fallback may answer: an opening that is late is for `trip` to judge. */
function openFromMs(history: History, instance: string, window: Window): number {
  const opened = history.breaker.find(
    (move) => move.instance === instance && move.to === 'open' && move.atMs >= window.beginMs,
  );
  return Math.max(openByMs(history, instance, window), (opened?.atMs ?? 0) + clockMsMax);
}

function duringFault(history: History, stretches: readonly Stretch[]): CheckResult[] {
  if (history.run.schedule.length === 0) return []; // switched by hand: nobody said what to expect
  const effect = effectIn(history, stretches);
  const rest = withRedisThere(history, stretches);
  if (effect === 'none' || effect === 'full' || effect === 'unavailable')
    return rest.length > 0
      ? [unhindered(history, rest)]
      : [notApplicable(name, 'a limiter may still be on its way back from another fault', 'fault')];
  if (history.failover)
    return [fallback(history, 'fault', withoutMaster(history), `answered ${standInOf(history)} until the failover`)];
  const worst =
    effect === 'degraded' || effect === 'starved'
      ? notApplicable(
          name,
          `either may answer while ${effect === 'degraded' ? 'calls are' : 'an instance is'} slow`,
          'fault',
        )
      : fallback(history, 'fault', stretches, `answered ${standInOf(history)}`);
  const long = rest.filter(({ startMs, endMs }) => endMs - startMs > oneOpeningMs(history.run.bounds));
  const other = long.length > 0 ? unhindered(history, long) : worst;
  return [severityOf(other.verdict) > severityOf(worst.verdict) ? other : worst];
}

function unhindered(history: History, stretches: readonly Stretch[]): CheckResult {
  const detail = 'answered by the store, which nothing kept it from';
  return judgeShare(history, { name, phase: 'fault', stretches, from: 'shared', detail, isSlowed: true });
}

/** What is left without the faults that keep a limiter from Redis, and the time that it has to return. */
function withRedisThere(history: History, stretches: readonly Stretch[]): readonly Stretch[] {
  const keeping: readonly Effect[] = ['cut-off', 'degraded', 'starved'];
  const limitMs = recoveryMsMax(history.run.bounds);
  const kept = windowsOf(history).filter(({ effect }) => keeping.includes(effect));
  return without(
    stretches,
    kept.map(({ beginMs, healedMs }) => ({ startMs: beginMs, endMs: healedMs + limitMs })),
  );
}

function redis(
  history: History,
  phase: PhaseName,
  stretches: readonly Stretch[],
  detail = 'answered by the store',
): CheckResult {
  return judgeShare(history, { name, phase, stretches, from: 'shared', detail });
}

function unknown(phase: PhaseName, detail: string): CheckResult {
  return { name, phase, verdict: 'unknown', measured: null, limit: shareMin * 100, unit: '%', detail };
}

/** Of the keys and instances that were seen to be cut off just then. Whom Redis answered after the heal it may have decided after it. */
function fallback(history: History, phase: PhaseName, stretches: readonly Stretch[], detail: string): CheckResult {
  const reach = reachOf(history);
  const windows = cutOffs(history).filter((window) => bit(history, window));
  if (windows.length === 0) return unknown(phase, 'the fault was not seen to bite');
  const counts = ({ key, instance, scheduledMs, receivedMs, source }: AnswerEvent) =>
    reach(key) === true &&
    windows.some(
      (it) =>
        hits(it, instance) &&
        scheduledMs >= it.biteMs &&
        scheduledMs < it.healMs &&
        (isWithoutStore({ source }) || receivedMs <= it.healMs),
    );
  return judgeShare(history, { name, phase, stretches, from: 'local', counts, detail });
}

/** From when every breaker is open until somebody may have known of another master. */
function withoutMaster(history: History): Stretch[] {
  const faulted = history.run.instances.filter(({ control }) => !control);
  const [window] = cutOffs(history);
  if (!window || !history.failover) return [];
  const startMs = Math.max(...faulted.map((it) => openByMs(history, it.name, window)));
  return [{ startMs, endMs: history.failover.beginMs }];
}

/** Recovery has its own check and may reach a little into the phase, or end long before it. */
function withRedisAgain({ faults, failover, run }: History, stretches: readonly Stretch[]): Stretch[] {
  const limitMs = recoveryMsMax(run.bounds);
  return stretches.map(({ startMs, endMs }) => {
    if (failover) return { startMs: failover.endMs + limitMs, endMs };
    const healedMs = faults.findLast((it) => it.action === 'heal' && it.endMs <= startMs)?.endMs ?? 0;
    return { startMs: Math.max(startMs, healedMs + limitMs), endMs };
  });
}
