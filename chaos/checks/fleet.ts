// Bound 2: over the whole run, all instances together admit one key at most
//
//   (B + r·S)·[Redis was used] + B·(losses of the key's state in Redis) + Σ over instances that used their fallback (β + ρ·D)
//
// S is the span of Redis's decisions on the key, D that of the instance's fallback decisions.

import { type AnswerEvent, type History, isControl } from '../history.ts';
import type { Check, CheckResult } from './check.ts';
import { driftRatio, stateLosses } from './sources.ts';

export const fleet: Check = {
  name: 'fleet',
  property: 'all instances together admit one key no more than Redis and the fallbacks may',
  needs: ['source'],
  judge(history: History): CheckResult[] {
    const byKey = Map.groupBy(
      history.answers.filter(({ instance }) => !isControl(history, instance)),
      ({ key }) => key,
    );
    let worst: { key: string; admitted: number; bound: number } | undefined;
    for (const [key, answers] of byKey) {
      const admitted = answers.filter(isAdmit).length;
      const bound = boundOf(history, key, answers);
      if (!worst || admitted - bound > worst.admitted - worst.bound) worst = { key, admitted, bound };
    }
    if (!worst) return [result('unknown', null, null, 'no answers')];
    const { key, admitted, bound } = worst;
    const detail = `nearest to its bound: key ${key}, ${admitted} admitted of at most ${bound.toFixed(1)}`;
    return [result(admitted <= bound ? 'pass' : 'fail', admitted, bound, detail)];
  },
};

function result(
  verdict: CheckResult['verdict'],
  measured: number | null,
  limit: number | null,
  detail: string,
): CheckResult {
  return { name: 'fleet', phase: 'all', verdict, measured, limit, unit: 'admitted', detail };
}

/** The most that one key may have been admitted, given who decided when. */
function boundOf(history: History, key: string, answers: readonly AnswerEvent[]): number {
  const { bounds } = history.run;
  const losses = stateLosses(history).filter(({ hits }) => hits(key)).length;
  const redisSpanS = spanSeconds(answers.filter(({ mechanism }) => mechanism === 'redis'));
  let bound = redisSpanS === undefined ? 0 : bounds.capacity * (1 + losses) + bounds.refillPerSecond * redisSpanS;
  for (const { name } of history.run.instances) {
    const spanS = spanSeconds(answers.filter((a) => a.mechanism === 'fallback' && a.instance === name));
    if (spanS !== undefined) bound += bounds.fallbackCapacity + bounds.fallbackRefillPerSecond * spanS;
  }
  return bound;
}

/** From the first sending to the last receipt, stretched by clock drift; undefined when there are none. */
function spanSeconds(answers: readonly AnswerEvent[]): number | undefined {
  if (answers.length === 0) return undefined;
  const from = answers.reduce((min, { sentMs }) => Math.min(min, sentMs), Number.POSITIVE_INFINITY);
  const to = answers.reduce((max, { receivedMs }) => Math.max(max, receivedMs), 0);
  return ((to - from) / 1000) * (1 + driftRatio);
}

function isAdmit({ status, mechanism }: AnswerEvent): boolean {
  return mechanism !== null && status >= 200 && status < 400;
}
