// Bound 6: once every call hangs, the breaker opens within failures · timeout + 50 ms, given traffic.

import { answersIn, type History, latencyMs } from '../history.ts';
import type { Check, CheckResult, Verdict } from './check.ts';
import { bit } from './fault-bit.ts';

const slackMs = 50;

export const trip: Check = {
  name: 'trip',
  property: 'the breaker opens within failures · timeout + 50 ms of the fault biting',
  judge(history: History): CheckResult[] {
    const { bounds, instances } = history.run;
    const injects = history.faults.filter(({ action }) => action === 'inject');
    if (history.run.fault === null) return [];
    const limit = bounds.breakerFailures * bounds.redisTimeoutMs + slackMs;
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
        ({ instance, from, to, atMs }) =>
          instance === name && from === 'closed' && to === 'open' && atMs >= (inject?.beginMs ?? 0),
      );
      const traffic = history.answers.filter(
        ({ instance, sentMs }) => instance === name && sentMs >= bitMs && sentMs <= bitMs + limit,
      ).length;
      if (!open && traffic < bounds.breakerFailures) return state('unknown', null, `too little traffic on ${name}`);
      const openMs = open ? Math.max(0, open.atMs - bitMs) : Number.POSITIVE_INFINITY;
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
  const last = history.breaker.findLast((move) => move.instance === instance && move.atMs < atMs);
  return last !== undefined && last.to !== 'closed';
}

function controlStallMs(history: History): number {
  const onset = history.phases.find(({ name }) => name === 'onset');
  return onset ? answersIn(history, onset, 'control').reduce((max, a) => Math.max(max, latencyMs(a)), 0) : 0;
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
