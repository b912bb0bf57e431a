// While Redis cannot answer, the fallback does; once it can again, Redis does. Where one Redis takes another's place, that
// is when "again" begins, and from then on the killed one may come back as it likes.

import type { History, Phase } from '../history.ts';
import type { Check, CheckResult } from './check.ts';
import { isWithoutSuccessor, reachOf } from './outage.ts';
import { recoveryMsMax } from './recovery.ts';
import { judgeShare } from './share.ts';
import { openByMs } from './trip.ts';

const name = 'fails-open';

export const failsOpen: Check = {
  name,
  property:
    'the fallback gives 99 % of the answers during the fault; Redis gives 99 % before it and after the recovery',
  judge(history: History): CheckResult[] {
    const reach = reachOf(history);
    const keys = (key: string) => reach(key) === true;
    const redis = (stretch: Phase, detail = 'answered by redis') =>
      judgeShare(history, { name, stretch, from: 'redis', detail });
    const fallback = (stretch: Phase, detail = 'answered by fallback') =>
      judgeShare(history, { name, stretch, from: 'fallback', keys, detail });
    return history.phases.flatMap((phase): CheckResult[] => {
      if (phase.name === 'baseline') return [redis(phase)];
      if (isWithoutSuccessor(history)) return [];
      if (phase.name === 'fault') {
        if (history.run.fault === null) return []; // switched by hand: nobody said what to expect
        return [
          history.failover
            ? fallback(withoutMaster(history, phase), 'answered by fallback until the failover')
            : fallback(phase),
        ];
      }
      if (phase.name === 'recovered') {
        const detail = history.failover ? 'answered by redis from the failover to the end' : undefined;
        return [redis(withRedisAgain(history, phase), detail)];
      }
      return [];
    });
  },
};

/** From when every breaker is open until somebody may have known of another master. */
function withoutMaster(history: History, phase: Phase): Phase {
  const faulted = history.run.instances.filter(({ control }) => !control);
  const startMs = Math.max(...faulted.map(({ name }) => openByMs(history, name)));
  return { name: 'fault', startMs, endMs: history.failover?.beginMs ?? phase.endMs };
}

/** Recovery has its own check and may reach a little into the phase, or end long before it. */
function withRedisAgain({ faults, failover, run: { bounds } }: History, phase: Phase): Phase {
  if (failover) return { ...phase, startMs: failover.endMs + recoveryMsMax(bounds) };
  const healedMs = faults.findLast(({ action }) => action === 'heal')?.endMs ?? 0;
  return { ...phase, startMs: Math.max(phase.startMs, healedMs + recoveryMsMax(bounds)) };
}
