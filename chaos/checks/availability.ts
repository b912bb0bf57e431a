// Bound 9: every scheduled request is decided: it may pass, or it may not, and who decided is said where the target says
// it at all. A 5xx, a lost connection and silence are no decision; nor is a 404, or any other answer that is not of the
// contract. An answer that a broken front link lost is not the limiter's to give.
//
// Nobody decides an answer that no bucket stands behind. It is right where the limiter was told to give it without its
// store: as it was told, within the budget, and not where it surely had its store. How often noise may keep an instance
// from its store elsewhere is for `fails-open` to judge.

import { type AnswerEvent, type History, isAllowed, isControl, isDenied } from '../history.ts';
import type { Check, CheckResult } from './check.ts';
import { isByFaultIn, isPerhapsNoiseIn } from './excuses.ts';
import { asToldIn, hadStoreIn } from './store-failure.ts';

export const availability: Check = {
  name: 'availability',
  property: 'every request is allowed or denied by somebody who is named; no other answer is given, and none is lost',
  needs: [],
  judge(history: History): CheckResult[] {
    const isByFault = isByFaultIn(history, 'what');
    const isPerhapsNoise = isPerhapsNoiseIn(history);
    const answers = history.answers.filter((it) => !isControl(history, it.instance) && !isByFault(it));
    const names = history.run.gives.includes('source');
    const whyUnbacked = whyUnbackedIn(history);
    const bad = answers.flatMap((answer) => {
      const why = whyFailed(answer, names) ?? whyUnbacked(answer);
      return why === undefined ? [] : [{ answer, why }];
    });
    const surely = bad.filter(({ answer }) => !isPerhapsNoise(answer));
    const [first] = surely.length > 0 ? surely : bad;
    const detail = first
      ? `first: ${first.why} from ${first.answer.instance} at ${(first.answer.sentMs / 1000).toFixed(3)} s`
      : `${answers.length} requests answered`;
    const isUnknown = answers.length === 0 || !history.complete || bad.length > 0;
    const verdict = isUnknown ? 'unknown' : 'pass';
    return [
      {
        name: 'availability',
        phase: 'all',
        verdict: surely.length > 0 ? 'fail' : verdict,
        measured: bad.length,
        limit: 0,
        unit: 'requests',
        detail,
      },
    ];
  },
};

/** Of an answer that no bucket stands behind. Undefined when it may be, and of any other. */
function whyUnbackedIn(history: History): (answer: AnswerEvent) => string | undefined {
  const isAsTold = asToldIn(history);
  const hadStore = hadStoreIn(history);
  return (answer) => {
    if (answer.source !== 'none') return undefined;
    const what = `status ${answer.status} without a bucket`;
    if (history.run.withoutStore === undefined) return what;
    if (!isAsTold(answer)) return `${what}, other than it was told to answer without its store`;
    return hadStore(answer) ? `${what}, with its store there,` : undefined;
  };
}

/** `names`: the target says who decided. Undefined when the request was decided. */
function whyFailed(answer: AnswerEvent, names: boolean): string | undefined {
  const { status, source, error } = answer;
  if (status === 0) return error ?? 'no answer';
  if (!isAllowed(answer) && !isDenied(answer)) return `status ${status}`;
  return names && source === null ? `status ${status} that nobody decided` : undefined;
}
