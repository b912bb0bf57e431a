// The loss of one master of a cluster is nobody's trouble but that of its own keys: those that the other masters hold
// stay with Redis throughout, while it is away, while it is replaced and when it comes back.

import type { History } from '../history.ts';
import type { Check, CheckResult } from './check.ts';
import { reachOf } from './outage.ts';
import { judgeShare } from './share.ts';

const name = 'isolation';

export const isolation: Check = {
  name,
  property: 'when a cluster loses a master, Redis goes on to give 99 % of the answers for the other masters’ keys',
  judge(history: History): CheckResult[] {
    if (history.placement === undefined) return [];
    const reach = reachOf(history);
    const keys = (key: string) => reach(key) === false;
    const detail = 'keys of the living masters answered by redis';
    return history.phases
      .filter((phase) => phase.name !== 'baseline')
      .map((stretch) => judgeShare(history, { name, stretch, from: 'redis', keys, detail }));
  },
};
