// Bound 7: after the heal, answers come from Redis again within
// reconnect + BREAKER_RESET_MS · (1 + jitter) + 2 · REDIS_TIMEOUT_MS.

import type { History } from '../history.ts';
import type { Bounds } from '../scenario.ts';
import type { Check, CheckResult, Verdict } from './check.ts';

/** The longest that a recovery may take, from the heal. */
export function recoveryMsMax({ reconnectMs, breakerResetMs, resetJitterRatio, redisTimeoutMs }: Bounds): number {
  return reconnectMs + breakerResetMs * (1 + resetJitterRatio) + 2 * redisTimeoutMs;
}

export const recovery: Check = {
  name: 'recovery',
  property: 'answers come from Redis again soon after the heal',
  judge(history: History): CheckResult[] {
    if (history.run.fault === null) return [];
    const limit = recoveryMsMax(history.run.bounds);
    const state = (verdict: Verdict, measured: number | null, detail: string): CheckResult[] => [
      { name: 'recovery', phase: 'heal', verdict, measured, limit, unit: 'ms', detail },
    ];
    const heals = history.faults.filter(({ action }) => action === 'heal');
    if (heals.length === 0) return state('unknown', null, 'the fault was not healed');

    let worst: { instance: string; backMs: number } | undefined;
    for (const { name } of history.run.instances.filter(({ control }) => !control)) {
      const healedMs = (heals.find(({ target }) => target === name) ?? heals[0])?.endMs ?? 0;
      const later = history.answers.filter(({ instance, sentMs }) => instance === name && sentMs >= healedMs);
      if (later.length === 0 || (later.at(-1)?.sentMs ?? 0) < healedMs + limit) {
        return state('unknown', null, `no traffic on ${name} until the limit`);
      }
      const back = later.find(({ mechanism }) => mechanism === 'redis');
      const backMs = back ? back.receivedMs - healedMs : Number.POSITIVE_INFINITY;
      if (!worst || backMs > worst.backMs) worst = { instance: name, backMs };
    }
    if (!worst) return state('unknown', null, 'no instance');
    const { instance, backMs } = worst;
    if (backMs <= limit) return state('pass', backMs, `slowest: ${instance}`);
    return Number.isFinite(backMs)
      ? state('fail', backMs, instance)
      : state('fail', null, `${instance} never came back to Redis`);
  },
};
