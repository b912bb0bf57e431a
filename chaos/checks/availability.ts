// Bound 9: every scheduled request is answered: no 5xx, no lost connection, no silence.

import { type AnswerEvent, type History, isControl } from '../history.ts';
import type { Check, CheckResult } from './check.ts';

export const availability: Check = {
  name: 'availability',
  property: 'every request is answered, none with a 5xx, and no connection is lost',
  needs: [],
  judge(history: History): CheckResult[] {
    const answers = history.answers.filter(({ instance }) => !isControl(history, instance));
    const bad = answers.filter(isBad);
    const first = bad[0];
    const detail = first
      ? `first: ${first.status === 0 ? first.error : `status ${first.status}`} from ${first.instance} at ${(first.sentMs / 1000).toFixed(3)} s`
      : `${answers.length} requests answered`;
    const verdict = answers.length === 0 || !history.complete ? 'unknown' : 'pass';
    return [
      {
        name: 'availability',
        phase: 'all',
        verdict: first ? 'fail' : verdict,
        measured: bad.length,
        limit: 0,
        unit: 'requests',
        detail,
      },
    ];
  },
};

function isBad({ status }: AnswerEvent): boolean {
  return status === 0 || status >= 500;
}
