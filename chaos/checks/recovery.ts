// Bound 7: after the heal, answers come from Redis again within
// reconnect + BREAKER_RESET_MS · (1 + jitter) + 2 · REDIS_TIMEOUT_MS.
//
// Where another master takes the killed one's place, it is that failover which heals: from when all who can be asked name
// the new one, and for the keys of the killed one. How long Redis took until then is told, and is Redis's own affair.
//
// A breaker asks Redis again with one call, and when that is late waits anew: on a machine whose control arm cannot keep its
// own calls in time either, one call lost to noise makes a sound limiter late. So being late fails only where noise is
// no explanation: where the control's share of lost calls, to the power of the calls that there were, is next to nothing.

import { answersIn, type History, latencyMs } from '../history.ts';
import type { Check, CheckResult, Verdict } from './check.ts';
import { isWithoutSuccessor, reachOf } from './outage.ts';
import { callEveryMsMax, recoveryMsMax } from './recovery-times.ts';
import { recoveryWithoutSource } from './recovery-without-source.ts';
import { awaitsFailover, hits, isHeldUpIn, windowsOf } from './windows.ts';

/** Noise explains what it makes happen more often than this. */
const chanceMin = 0.001;

export const recovery: Check = {
  name: 'recovery',
  property: 'Redis answers again within 1 s + 1.2 · `BREAKER_RESET_MS` + 2 · `REDIS_TIMEOUT_MS` of the heal',
  needs: ['schedule', 'cut-off'],
  judge(history: History): CheckResult[] {
    if (!history.run.gives.includes('source')) return [recoveryWithoutSource(history)];
    const { failover } = history;
    const limit = recoveryMsMax(history.run.bounds);
    const phase = awaitsFailover(history) ? 'fault' : 'heal';
    const state = (verdict: Verdict, measured: number | null, detail: string): CheckResult[] => [
      { name: 'recovery', phase, verdict, measured, limit, unit: 'ms', detail },
    ];
    if (isWithoutSuccessor(history)) return state('unknown', null, 'no other master took the place of the killed one');
    const healed = windowsOf(history).filter(
      ({ effect, healedMs }) => effect === 'cut-off' && Number.isFinite(healedMs),
    );
    const reach = reachOf(history);
    if (healed.length === 0) return state('unknown', null, 'the fault was not healed');

    let worst: Return | undefined;
    let unknown: CheckResult[] | undefined;
    let hidden: string | undefined;
    const faulted = history.run.instances.filter(({ control }) => !control);
    for (const [{ name }, window] of faulted.flatMap((it) => healed.map((each) => [it, each] as const))) {
      const healedMs = failover?.endMs ?? window.healedMs;
      const hindering = windowsOf(history).filter((it) => it.effect !== 'none' && it !== window && hits(it, name));
      const isStillHit = !failover && hindering.some((it) => it.beginMs <= healedMs && it.healedMs > healedMs);
      if (!hits(window, name) || isStillHit) continue;
      // Until the next fault.
      const untilMs = Math.min(...hindering.flatMap(({ beginMs }) => (beginMs > healedMs ? [beginMs] : [])));
      const its = history.answers.filter(
        ({ instance, key, sentMs }) =>
          instance === name && sentMs >= healedMs && sentMs < untilMs && reach(key) === true,
      );
      const later = its.sort((a, b) => a.sentMs - b.sentMs);
      const back = later.find(({ source }) => source === 'shared');
      const backMs = back ? back.receivedMs - healedMs : Number.POSITIVE_INFINITY;
      if (backMs > limit && isHeldUpIn(history, name, { startMs: healedMs, endMs: healedMs + limit })) {
        // Its requests did not come, or its answers came late: by no doing of its own.
        hidden = `a fault between ${name} and its clients hid when it was back`;
        continue;
      }
      const afterLimit = later.find(({ sentMs }) => sentMs >= healedMs + limit);
      if (afterLimit === undefined) {
        // Cut off again before it had to be back: nothing can be told of this time.
        if (untilMs > healedMs + limit) unknown ??= state('unknown', null, `no traffic on ${name} until the limit`);
        else if (back && (!worst || backMs > worst.backMs)) worst = { instance: name, healedMs, backMs, untilMs };
      } else if (backMs > limit && afterLimit === back) {
        // It may have been back for long: nobody asked.
        const detail = `no traffic on ${name} between the limit and its first answer from Redis`;
        unknown ??= state('unknown', backMs, detail);
      } else if (!worst || backMs > worst.backMs) {
        worst = { instance: name, healedMs, backMs, untilMs };
      }
    }
    const late = worst && worst.backMs > limit ? worst : undefined;
    if (unknown && !late) return unknown;
    if (!worst) return state('unknown', null, hidden ?? 'nothing was healed for long enough');
    const { instance, backMs } = worst;
    if (late) {
      const measured = Number.isFinite(backMs) ? backMs : null;
      const never = Number.isFinite(late.untilMs)
        ? 'was not back with Redis at the next fault'
        : 'never came back to Redis';
      const detail = measured === null ? `${instance} ${never}` : instance;
      const noise = explainedByNoise(history, late);
      return noise === undefined ? state('fail', measured, detail) : state('unknown', measured, `${detail}; ${noise}`);
    }
    const killedMs = history.faults.find(({ action }) => action === 'inject')?.endMs ?? 0;
    const since = failover ? `, since a failover that took ${((failover.endMs - killedMs) / 1000).toFixed(1)} s` : '';
    return state('pass', backMs, `slowest: ${instance}${since}`);
  },
};

interface Return {
  readonly instance: string;
  readonly healedMs: number;
  /** From the heal to the first answer from Redis; infinite when there was none. */
  readonly backMs: number;
  /** It had time until then: to the next fault, if there was another. */
  readonly untilMs: number;
}

/** Why nothing may be concluded from its being late; undefined when the machine is no explanation. */
function explainedByNoise(history: History, { healedMs, backMs, untilMs }: Return): string | undefined {
  const { bounds } = history.run;
  const endMs = Math.min(healedMs + backMs, untilMs, history.phases.at(-1)?.endMs ?? healedMs);
  const controls = answersIn(history, { startMs: healedMs, endMs }, 'control');
  const lost = controls.filter((a) => a.source !== 'shared' || latencyMs(a) >= bounds.p99Ms).length / controls.length;
  const beyondMs = endMs - healedMs - recoveryMsMax(bounds);
  const calls = 1 + Math.floor(Math.max(0, beyondMs) / callEveryMsMax(bounds));
  if (!(lost ** calls > chanceMin)) return undefined;
  const explanation = calls === 1 ? 'one lost call explains' : `${calls} lost calls explain`;
  return `of the control's answers ${(lost * 100).toFixed(1)} % were late or not from Redis either: ${explanation} it`;
}
