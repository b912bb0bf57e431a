// What a fault does not reach stays as it was. The loss of one master of a cluster is nobody's trouble but that of its own
// keys: those that the other masters hold stay with Redis throughout, while it is away, while it is replaced and when it
// comes back. And a link that is broken is the trouble of its own instance alone.

import { type AnswerEvent, type History, phasesByName } from '../history.ts';
import { type Check, type CheckResult, notApplicable } from './check.ts';
import { reachOf } from './outage.ts';
import { judgeShare } from './share.ts';
import { isInstanceHit } from './windows.ts';

const name = 'isolation';

export const isolation: Check = {
  name,
  property: 'Redis goes on to give 99 % of the answers for the keys and instances that no fault reaches',
  needs: ['source', 'schedule'],
  judge(history: History): CheckResult[] {
    const spared = (instance: string) => !isInstanceHit(history, instance);
    const others = history.run.instances.some(({ name, control }) => !control && spared(name));
    if (history.placement === undefined && !others) return [notApplicable(name, 'every instance and key is reached')];
    const reach = reachOf(history);
    const of = others
      ? { counts: ({ instance }: AnswerEvent) => spared(instance), detail: 'the other instances answered by the store' }
      : {
          counts: ({ key }: AnswerEvent) => reach(key) === false,
          detail: 'keys of the living masters answered by the store',
        };
    return [...phasesByName(history)]
      .filter(([phase]) => phase !== 'baseline')
      .map(([phase, stretches]) => judgeShare(history, { name, phase, stretches, from: 'shared', ...of }));
  },
};
