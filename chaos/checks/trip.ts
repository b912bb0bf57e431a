// Bound 6: once every call hangs, the breaker opens within failures · timeout + 50 ms, given traffic.
//
// Of a cluster only one master's keys are traffic, and many of their requests are refused without asking it. Too few calls
// may then be made in time; the time counts from the last of those that the breaker must have seen fail.

import { answersIn, type History, latencyMs } from '../history.ts';
import type { Bounds } from '../scenario.ts';
import type { Check, CheckResult, Verdict } from './check.ts';
import { bit } from './fault-bit.ts';
import { isBreakerHit, reachOf } from './outage.ts';

const slackMs = 50;

/** The longest that an opening may take, from the fault biting. */
export function tripMsMax({ breakerFailures, redisTimeoutMs }: Bounds): number {
  return breakerFailures * redisTimeoutMs + slackMs;
}

export const trip: Check = {
  name: 'trip',
  property: 'the breaker opens within failures · timeout + 50 ms of the fault biting',
  judge(history: History): CheckResult[] {
    const { bounds, instances } = history.run;
    const injects = history.faults.filter(({ action }) => action === 'inject');
    if (history.run.fault === null) return [];
    const limit = tripMsMax(bounds);
    const reach = reachOf(history);
    const state = (verdict: Verdict, measured: number | null, detail: string): CheckResult[] => [
      { name: 'trip', phase: 'onset', verdict, measured, limit, unit: 'ms', detail },
    ];
    if (injects.length === 0) return state('unknown', null, 'no fault was injected');
    if (!bit(history)) return state('unknown', null, 'the fault was not seen to bite');
    const silent = instances.find(({ control, tellsBreaker }) => !control && !tellsBreaker);
    if (silent) return state('unknown', null, `${silent.name} does not tell of its breaker`);

    let worst: { instance: string; openMs: number } | undefined;
    for (const { name } of instances.filter(({ control }) => !control)) {
      const inject = injects.find(({ target }) => target === name) ?? injects[0];
      const bitMs = inject?.endMs ?? 0;
      if (isOpenAt(history, name, inject?.beginMs ?? 0)) continue; // noise had opened it before
      const open = history.breaker.find(
        ({ instance, shard, from, to, atMs }) =>
          instance === name &&
          isBreakerHit(history, shard) &&
          from === 'closed' &&
          to === 'open' &&
          atMs >= (inject?.beginMs ?? 0),
      );
      const traffic = history.answers.filter(
        ({ instance, key, sentMs }) =>
          instance === name && reach(key) === true && sentMs >= bitMs && sentMs <= bitMs + limit,
      ).length;
      if (!open && traffic < bounds.breakerFailures) return state('unknown', null, `too little traffic on ${name}`);
      const fromMs = history.placement ? enoughFailedMs(history, name, bitMs) : bitMs;
      const openMs = open ? Math.max(0, open.atMs - fromMs) : Number.POSITIVE_INFINITY;
      if (!worst || openMs > worst.openMs) worst = { instance: name, openMs };
    }
    if (!worst) return state('unknown', null, 'every breaker was open already');
    const { instance, openMs } = worst;
    if (openMs <= limit) return state('pass', openMs, `slowest: ${instance}`);
    const stallMs = controlStallMs(history);
    if (stallMs > slackMs) {
      return state('unknown', finite(openMs), `the control arm stalled for ${stallMs.toFixed(0)} ms at the same time`);
    }
    return state('fail', finite(openMs), openMs === Number.POSITIVE_INFINITY ? `${instance} never opened` : instance);
  },
};

function isOpenAt(history: History, instance: string, atMs: number): boolean {
  const last = history.breaker.findLast(
    (move) => move.instance === instance && isBreakerHit(history, move.shard) && move.atMs < atMs,
  );
  return last !== undefined && last.to !== 'closed';
}

/**
 * When the last call that the breaker needs to see fail was under way: each of them answered by the fallback, and so far
 * apart that no two can have been one call.
 */
function enoughFailedMs(history: History, name: string, bitMs: number): number {
  const { breakerFailures, redisTimeoutMs } = history.run.bounds;
  const reach = reachOf(history);
  const failed = history.answers
    .filter(
      ({ instance, key, mechanism, sentMs }) =>
        instance === name && mechanism === 'fallback' && sentMs >= bitMs && reach(key) === true,
    )
    .sort((a, b) => a.sentMs - b.sentMs);
  let calls = 0;
  let lastMs = bitMs;
  for (const { sentMs } of failed) {
    if (calls > 0 && sentMs < lastMs + redisTimeoutMs) continue;
    lastMs = sentMs;
    if (++calls === breakerFailures) break;
  }
  return lastMs;
}

function controlStallMs(history: History): number {
  const onset = history.phases.find(({ name }) => name === 'onset');
  return onset ? answersIn(history, onset, 'control').reduce((max, a) => Math.max(max, latencyMs(a)), 0) : 0;
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
