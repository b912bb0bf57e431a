// Bound 3: nobody is refused while the bucket surely held the token.
//
// For each refusal the lowest level is computed that any choice of instants allows (lowest-level.ts). If even that level
// holds a token, the refusal was wrong.
//
// An instance may act on what Redis told it last: a fallback bucket may start with the tokens that Redis had left, and a
// denial may be repeated until Redis would have had a token again, be it that Redis has forgotten everything meanwhile.
// Where a replica took over, nobody knows how much was forgotten, so a refusal is wrong only if it is with nothing forgotten.

import { type AnswerEvent, type History, isDenied } from '../history.ts';
import { wasCalm } from './calm.ts';
import { type Check, type CheckResult, notApplicable } from './check.ts';
import { isCrowded } from './crowded.ts';
import { refusedAtFirst } from './first-requests.ts';
import { type Lowest, lowestLevels, surelyOne } from './lowest-level.ts';
import { refusedEarly } from './refused-early.ts';
import { type Source, sourcesOf } from './sources.ts';

/** A bucket of one token can hold no more than that. */
const surelyEnough = (capacity: number) => Math.min(capacity, surelyOne);

export const needlessRefusal: Check = {
  name: 'needless-refusal',
  property: 'no request is refused while its bucket surely held the token',
  needs: [],
  judge(history: History): CheckResult[] {
    if (!history.run.gives.includes('source')) return [judgeWithoutSource(history)];
    let refusals = 0;
    const wrong: ({ source: Source } & Lowest)[] = [];
    let shared = 0;
    const mayShare = isCrowded(history);
    for (const source of sourcesOf(history)) {
      if (mayShare && source.isFallback) {
        shared += source.rejects.length;
        continue;
      }
      refusals += source.rejects.length;
      for (const found of wrongRefusals(source))
        if (!repeatsFormer(source, found.answer) && !continuesFormer(source, found.answer)) {
          wrong.push({ source, ...found });
        }
    }
    const first = wrong[0];
    const detail = first
      ? `${first.source.name} refused key ${first.source.key} at ${(first.answer.sentMs / 1000).toFixed(3)} s with at least ${first.level.toFixed(2)} tokens left`
      : refusals === 0
        ? 'nothing was refused'
        : `${refusals} refusals, each with too few tokens`;
    const notJudged = shared === 0 ? '' : `; ${shared} by fallbacks whose buckets keys may share are not judged`;
    const decided = history.answers.some(({ source }) => source !== null);
    const verdict = first ? 'fail' : decided ? 'pass' : 'unknown';
    return [result(verdict, wrong.length, `${detail}${notJudged}`)];
  },
};

function result(verdict: CheckResult['verdict'], measured: number, detail: string): CheckResult {
  return { name: 'needless-refusal', phase: 'all', verdict, measured, limit: 0, unit: 'refusals', detail };
}

/**
 * Of a target that does not say who decided: only the first request for a key surely meets full buckets; and before any
 * fault what was given to most keys tells what the store holds.
 */
function judgeWithoutSource(history: History): CheckResult {
  const early = refusedEarly(history);
  if (early) {
    const { refusal, given, due, keys } = early;
    const at = `${refusal.instance} refused key ${refusal.key} at ${(refusal.sentMs / 1000).toFixed(3)} s after ${given} of ${due} tokens`;
    const detail = `${at}; before any fault, ${early.early} of ${keys} keys were refused so early`;
    return wasCalm(history)
      ? result('fail', early.early, detail)
      : result('unknown', early.early, `${detail}; the control was slow over the whole run`);
  }
  if (history.run.bounds.fallbackCapacity < 1)
    return notApplicable('needless-refusal', 'the target does not say who decided, and may have no fallback');
  if (isCrowded(history))
    return notApplicable(
      'needless-refusal',
      'the target does not say who decided, and keys may share a fallback bucket',
    );
  if (history.answers.length === 0) return result('unknown', 0, 'nobody asked');
  const wrong = refusedAtFirst(history).toSorted((a, b) => a.sentMs - b.sentMs);
  const [first] = wrong;
  if (first) {
    const atS = (first.sentMs / 1000).toFixed(3);
    return result('fail', wrong.length, `${first.instance} refused the first request for key ${first.key} at ${atS} s`);
  }
  const refusals = history.answers.filter(isDenied).length;
  const others = `, and the target does not say who decided the other ${refusals} refusals`;
  return result('pass', 0, `no key's first request was refused${refusals === 0 ? '' : others}`);
}

/** Whether a bucket that Redis lost would have refused it too: the last one, or one before it. */
function repeatsFormer({ former }: Source, answer: AnswerEvent): boolean {
  if (former === undefined) return false;
  const isWrong = wrongRefusals({ ...former, rejects: [answer] }).length > 0;
  return !isWrong || continuesFormer(former, answer) || repeatsFormer(former, answer);
}

/** Whether a bucket would have refused it that did not forget what was taken from the one before, or from more of them. */
function continuesFormer({ former, mayContinue, ...source }: Source, answer: AnswerEvent): boolean {
  if (former === undefined || !mayContinue) return false;
  const admits = [...former.admits, ...source.admits];
  const uncertain = [...new Set([...former.uncertain, ...source.uncertain])];
  const before = { former: former.former, mayContinue: former.mayContinue };
  const whole = { ...source, ...before, admits, uncertain, rejects: [answer] };
  return wrongRefusals(whole).length === 0 || continuesFormer(whole, answer);
}

export function wrongRefusals(source: Source): Lowest[] {
  const enough = surelyEnough(source.capacity) - 1e-9;
  return lowestLevels(source, source.rejects).filter(({ level }) => level >= enough);
}
