// Bound 7: after the heal, answers come from Redis again within
// reconnect + BREAKER_RESET_MS · (1 + jitter) + 2 · REDIS_TIMEOUT_MS.
//
// Where another master takes the killed one's place, it is that failover which heals: from when all who can be asked name
// the new one, and for the keys of the killed one. How long Redis took until then is told, and is Redis's own affair.

import type { History } from '../history.ts';
import type { Bounds } from '../scenario.ts';
import type { Check, CheckResult, Verdict } from './check.ts';
import { isWithoutSuccessor, reachOf } from './outage.ts';

/** The longest that a recovery may take, from the heal. */
export function recoveryMsMax({ reconnectMs, breakerResetMs, resetJitterRatio, redisTimeoutMs }: Bounds): number {
  return reconnectMs + breakerResetMs * (1 + resetJitterRatio) + 2 * redisTimeoutMs;
}

export const recovery: Check = {
  name: 'recovery',
  property: 'answers come from Redis again soon after the heal',
  judge(history: History): CheckResult[] {
    if (history.run.fault === null) return [];
    const { failover } = history;
    const limit = recoveryMsMax(history.run.bounds);
    const phase = history.run.fault.kind === 'master-kill' ? 'fault' : 'heal';
    const state = (verdict: Verdict, measured: number | null, detail: string): CheckResult[] => [
      { name: 'recovery', phase, verdict, measured, limit, unit: 'ms', detail },
    ];
    if (isWithoutSuccessor(history)) return state('unknown', null, 'no other master took the place of the killed one');
    const heals = history.faults.filter(({ action }) => action === 'heal');
    const reach = reachOf(history);
    if (heals.length === 0) return state('unknown', null, 'the fault was not healed');

    let worst: { instance: string; backMs: number } | undefined;
    let untold: CheckResult[] | undefined;
    for (const { name } of history.run.instances.filter(({ control }) => !control)) {
      const healedMs = failover?.endMs ?? (heals.find(({ target }) => target === name) ?? heals[0])?.endMs ?? 0;
      const later = history.answers.filter(
        ({ instance, key, sentMs }) => instance === name && sentMs >= healedMs && reach(key) === true,
      );
      const back = later.find(({ mechanism }) => mechanism === 'redis');
      const backMs = back ? back.receivedMs - healedMs : Number.POSITIVE_INFINITY;
      const afterLimit = later.find(({ sentMs }) => sentMs >= healedMs + limit);
      if (afterLimit === undefined) {
        untold ??= state('unknown', null, `no traffic on ${name} until the limit`);
      } else if (backMs > limit && afterLimit === back) {
        // It may have been back for long: nobody asked.
        untold ??= state('unknown', backMs, `no traffic on ${name} between the limit and its first answer from Redis`);
      } else if (!worst || backMs > worst.backMs) {
        worst = { instance: name, backMs };
      }
    }
    if (untold && !(worst && worst.backMs > limit)) return untold;
    if (!worst) return state('unknown', null, 'no instance');
    const { instance, backMs } = worst;
    const killedMs = history.faults.find(({ action }) => action === 'inject')?.endMs ?? 0;
    const since = failover ? `, since a failover that took ${((failover.endMs - killedMs) / 1000).toFixed(1)} s` : '';
    if (backMs <= limit) return state('pass', backMs, `slowest: ${instance}${since}`);
    return Number.isFinite(backMs)
      ? state('fail', backMs, instance)
      : state('fail', null, `${instance} never came back to Redis`);
  },
};
