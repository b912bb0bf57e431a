// What a fault does not reach stays as it was. The loss of one master of a cluster is nobody's trouble but that of its own
// keys: those that the other masters hold stay with Redis throughout, while it is away, while it is replaced and when it
// comes back. And a link that is broken is the trouble of its own instance alone.

import { type AnswerEvent, type History, phasesByName, type Stretch } from '../history.ts';
import { observerName } from '../scenario.ts';
import { type Check, type CheckResult, notApplicable, severityOf } from './check.ts';
import { oneOpeningMs } from './lapses.ts';
import { reachOf } from './outage.ts';
import { recoveryMsMax } from './recovery-times.ts';
import { judgeShare } from './share.ts';
import { hits, isInstanceHit, windowsOf, without } from './windows.ts';

const name = 'isolation';

export const isolation: Check = {
  name,
  property: 'Redis goes on to give 99 % of the answers for the keys and instances that no fault reaches',
  needs: ['source', 'schedule'],
  judge(history: History): CheckResult[] {
    const spared = (instance: string) => !isInstanceHit(history, instance);
    const others = history.run.instances.some(({ name, control }) => !control && spared(name));
    if (history.placement === undefined && !others) return [sparedAtTimes(history)];
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

/** Each instance, while others alone are hit, and from when it had time to be back from what had hit it before. */
function sparedAtTimes(history: History): CheckResult {
  const none = notApplicable(name, 'every instance and key is reached');
  const judged = history.run.instances.flatMap(({ name: instance, control }) => {
    const stretches = control ? [] : sparedTimes(history, instance);
    const counts = (answer: AnswerEvent) => answer.instance === instance;
    const detail = `${instance} answered by the store while others alone were hit`;
    return stretches.length > 0
      ? [judgeShare(history, { name, phase: 'fault', stretches, from: 'shared', counts, detail })]
      : [];
  });
  return judged.reduce((a, b) => (severityOf(b.verdict) > severityOf(a.verdict) ? b : a), none);
}

function sparedTimes(history: History, instance: string): readonly Stretch[] {
  const { bounds } = history.run;
  const windows = windowsOf(history).filter(({ effect }) => effect !== 'none');
  const others = windows
    .filter((it) => !hits(it, instance) && it.target !== observerName)
    .map(({ biteMs, healMs }) => ({ startMs: biteMs, endMs: healMs }));
  const own = windows
    .filter((it) => hits(it, instance))
    .map(({ beginMs, healedMs }) => ({ startMs: beginMs, endMs: healedMs + recoveryMsMax(bounds) }));
  return without(others, own).filter(({ startMs, endMs }) => endMs - startMs > oneOpeningMs(bounds));
}
