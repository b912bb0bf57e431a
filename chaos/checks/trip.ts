// Bound 6: once every call hangs, the breaker opens within failures · timeout + 50 ms, given traffic.
//
// Calls that were not made cannot fail. At a low rate, or where only one master's keys of a cluster are hit, most of the
// time is spent in waiting for the calls that the breaker needs, and then only the rest counts:
//
//   bite ── waited ── call fails ── waited ── call fails ── waited ── call fails ── opening
//                     ▔▔▔▔▔▔▔▔▔▔              ▔▔▔▔▔▔▔▔▔▔              ▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔ counts
//
// Under an ordinary load all of it counts from the bite on: the slack has room for the few milliseconds between calls.

import { type AnswerEvent, answersIn, type History, latencyMs } from '../history.ts';
import type { Bounds } from '../scenario.ts';
import { clockMsMax, latenessOf, wasCalm, worstControlMs } from './calm.ts';
import { type Check, type CheckResult, notApplicable, type Verdict } from './check.ts';
import { bit } from './fault-bit.ts';
import { isBreakerHit, isUnplaced, reachOf } from './outage.ts';
import { isWithoutStore } from './store-failure.ts';
import { cutOffs, hits, isHeldUpIn, type Window } from './windows.ts';

export const slackMs = 50;
/** On a machine that is busy all the time, an opening may meet some of the stalls of which the control shows one. */
const stallsMax = 5;
/** Up to this the slack has room for waiting; beyond it, nothing that was waited counts. */
const waitMsMax = slackMs / 2;

/** The longest that an opening may take, from the fault biting, not counting a long wait for calls. */
function tripMsMax({ breakerFailures, redisTimeoutMs }: Bounds): number {
  return breakerFailures * redisTimeoutMs + slackMs;
}

/** The instant by which the breaker of an instance has to be open, as far as the calls go that were seen to fail. */
export function openByMs(history: History, instance: string, window: Window): number {
  return traffic(history, instance, window).fromMs + tripMsMax(history.run.bounds);
}

export const trip: Check = {
  name: 'trip',
  property: 'the breaker opens within `BREAKER_FAILURES` · `REDIS_TIMEOUT_MS` + 50 ms of the fault',
  needs: ['breaker', 'source', 'schedule', 'cut-off'],
  judge(history: History): CheckResult[] {
    if (isUnplaced(history)) return [notApplicable('trip', 'nobody told which master held which key')];
    const { bounds, instances } = history.run;
    const limit = tripMsMax(bounds);
    const state = (verdict: Verdict, measured: number | null, detail: string): CheckResult[] => [
      { name: 'trip', phase: 'onset', verdict, measured, limit, unit: 'ms', detail },
    ];
    if (cutOffs(history).length === 0) return state('unknown', null, 'no fault was injected');
    const windows = cutOffs(history).filter((window) => bit(history, window));
    if (windows.length === 0) return state('unknown', null, 'the fault was not seen to bite');
    const silent = instances.find(({ control, reportsBreaker }) => !control && !reportsBreaker);
    if (silent) return state('unknown', null, `${silent.name} does not tell of its breaker`);

    const openings = instances
      .filter(({ control }) => !control)
      .flatMap(({ name }) =>
        windows.filter((window) => hits(window, name)).flatMap((window) => openingOf(history, name, window) ?? []),
      );
    const slowest = openings.toSorted((a, b) => b.openMs - a.openMs);
    const late = slowest.find(({ openMs, excuse }) => openMs > limit && excuse === undefined);
    if (late) {
      const { instance, openMs, window } = late;
      const stallMs = controlStallMs(history, window.beginMs, openByMs(history, instance, window));
      if (stallMs > slackMs) {
        const detail = `the control arm stalled for ${latenessOf(stallMs)} at the same time`;
        return state('unknown', finite(openMs), detail);
      }
      if (!wasCalm(history) && openMs - limit <= stallsMax * worstControlMs(history)) {
        const detail = `${instance}; the control was slow over the whole run, by up to ${latenessOf(worstControlMs(history))}`;
        return state('unknown', finite(openMs), detail);
      }
      if (openMs - limit <= clockMsMax && answersAtOnce(history, late, limit)) {
        const detail = `${instance}; it answered without waiting from ${limit} ms on, so its clock may be ahead`;
        return state('unknown', finite(openMs), detail);
      }
      return state('fail', finite(openMs), Number.isFinite(openMs) ? instance : `${instance} never opened`);
    }
    const [worst] = slowest;
    if (!worst) return state('unknown', null, 'every breaker was open already');
    const { instance, openMs, waitedMs, excuse } = worst;
    if (openMs > limit) return state('unknown', finite(openMs), excuse ?? instance);
    const rest = waitedMs > 0 ? `, not counting ${waitedMs.toFixed(0)} ms in which no call was made` : '';
    return state('pass', openMs, `slowest: ${instance}${rest}`);
  },
};

interface Opening {
  readonly instance: string;
  readonly window: Window;
  /** From when the time counts. */
  readonly fromMs: number;
  /** Since then; infinite when it never opened. */
  readonly openMs: number;
  /** What does not count. */
  readonly waitedMs: number;
  /** Why nothing may be concluded from its being late. */
  readonly excuse: string | undefined;
}

/** Undefined when noise had opened the breaker before the fault. */
function openingOf(history: History, instance: string, window: Window): Opening | undefined {
  const { breakerFailures } = history.run.bounds;
  const { beginMs: injectMs } = window;
  if (isOpenAt(history, instance, injectMs)) return undefined;
  const open = history.breaker.find(
    (move) =>
      move.instance === instance &&
      isBreakerHit(history, move.shard) &&
      move.from === 'closed' &&
      move.to === 'open' &&
      move.atMs >= injectMs,
  );
  const { fromMs, waitedMs, calls } = traffic(history, instance, window);
  const openMs = Math.max(0, (open?.atMs ?? Number.POSITIVE_INFINITY) - fromMs);
  const few = `too little traffic on ${instance}`;
  let excuse: string | undefined;
  const openBy = openByMs(history, instance, window);
  if (isHeldUpIn(history, instance, { startMs: injectMs, endMs: openBy }))
    excuse = `another fault was between ${instance} and its clients`;
  else if (calls < breakerFailures)
    excuse = `${few}: ${calls} of the ${breakerFailures} calls that it takes were seen to fail`;
  else if (openBy > hitUntilMs(history, window)) excuse = `${few}: the fault was over too soon`;
  return { instance, window, fromMs, openMs, waitedMs, excuse };
}

/** Whether no request waited for a call from shortly before the breaker had to be open until it says that it opened. */
function answersAtOnce(history: History, { instance, openMs, fromMs }: Opening, limitMs: number): boolean {
  const { answers, run } = history;
  const reach = reachOf(history);
  const its = answers.filter(
    (it) =>
      it.instance === instance &&
      reach(it.key) === true &&
      it.sentMs >= fromMs + limitMs - slackMs / 2 &&
      it.sentMs < fromMs + openMs,
  );
  const isAtOnce = (it: AnswerEvent) => isWithoutStore(it) && it.receivedMs - it.sentMs < run.bounds.redisTimeoutMs;
  return its.length > 0 && its.every(isAtOnce);
}

function isOpenAt(history: History, instance: string, atMs: number): boolean {
  const its = history.breaker.filter((move) => move.instance === instance && isBreakerHit(history, move.shard));
  const last = its.findLast((move) => move.atMs < atMs);
  const state = last ? last.to : its[0]?.from; // what was before the run shows in its first move
  return state !== undefined && state !== 'closed';
}

interface Traffic {
  /** From when the time until the opening counts. */
  readonly fromMs: number;
  /** What does not count, since the fault bit. */
  readonly waitedMs: number;
  /** That were seen to fail one after another, as many as the breaker needs at the most. */
  readonly calls: number;
}

/**
 * The calls that failed since the fault bit: not answered by the store. When one of them was over is read in two ways, of
 * which the kinder one is taken. By its answer: what is sent after that is another call for sure. And by its deadline:
 * answers may come late to a client that is held up itself.
 */
function traffic(history: History, instance: string, window: Window): Traffic {
  const { redisTimeoutMs, breakerFailures } = history.run.bounds;
  const { biteMs: bitMs } = window;
  const untilMs = hitUntilMs(history, window);
  const reach = reachOf(history);
  const failed = history.answers
    .filter(
      ({ instance: of, key, source, sentMs }) =>
        of === instance && isWithoutStore({ source }) && sentMs >= bitMs && sentMs < untilMs && reach(key) === true,
    )
    .sort((a, b) => a.sentMs - b.sentMs);
  const wait = (overMs: (answer: AnswerEvent) => number) => {
    let [calls, waitedMs, idleSinceMs] = [0, 0, bitMs];
    for (const answer of failed) {
      if (calls === breakerFailures) break;
      if (answer.sentMs < idleSinceMs) continue;
      calls++;
      waitedMs += answer.sentMs - idleSinceMs;
      idleSinceMs = overMs(answer);
    }
    return { calls, waitedMs };
  };
  const byAnswer = wait(({ receivedMs }) => receivedMs);
  const byDeadline = wait(({ sentMs }) => sentMs + redisTimeoutMs);
  const longest = Math.max(byAnswer.waitedMs, byDeadline.waitedMs);
  const waitedMs = longest > waitMsMax ? longest : 0;
  return { fromMs: bitMs + waitedMs, waitedMs, calls: Math.min(byAnswer.calls, byDeadline.calls) };
}

/** Until when every call to the Redis that is hit fails for sure. */
function hitUntilMs({ failover }: History, { endsBy, healMs }: Window): number {
  return endsBy === 'failover' ? (failover?.beginMs ?? healMs) : healMs;
}

/** The slowest answer of the control arm since the injection, in `onset` and until the breaker had to be open. */
export function controlStallMs(history: History, injectMs: number, untilMs: number): number {
  const onset = history.phases.find(({ name, endMs }) => name === 'onset' && endMs > injectMs);
  if (!onset) return 0;
  const stretch = { ...onset, endMs: Math.max(onset.endMs, untilMs) };
  return answersIn(history, stretch, 'control').reduce((max, a) => Math.max(max, latencyMs(a)), 0);
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
