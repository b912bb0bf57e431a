// A refusal that says `Retry-After` is true: whoever waits as long finds a token, unless somebody took it meanwhile; and
// nobody is admitted by the same bucket long before.
//
//   refused, "2" ├── 1 s ──┤├── rounded up ──┤ refused again: too soon, if nothing was admitted since
//                admitted: too late
//
// It is told in whole seconds, rounded up. Instants are the kindest that sending and receipt allow.

import type { AnswerEvent, History } from '../history.ts';
import { type Check, type CheckResult, notApplicable } from './check.ts';
import { unsharedOf } from './crowded.ts';
import { type Source, sourcesOf } from './sources.ts';

const name = 'retry-after';
/** Of the limiter's clock, or of its arithmetic. */
const roundingMs = 1;

export const retryAfter: Check = {
  name,
  property: '`Retry-After` tells how long a refused client must wait: not less, and not a second more',
  needs: ['source'],
  judge(history: History): CheckResult[] {
    const told = history.answers.filter(({ retryAfterS }) => retryAfterS !== undefined).length;
    if (told === 0) return [notApplicable(name, 'no answer says when to ask again')];
    const wrong = unsharedOf(history, sourcesOf(history)).flatMap((source) => [
      ...tooLong(source),
      ...tooShort(source),
    ]);
    const first = wrong.toSorted((a, b) => a.answer.sentMs - b.answer.sentMs)[0];
    const detail = first
      ? `key ${first.answer.key} was told ${first.answer.retryAfterS} s by ${first.source.name} at ${seconds(first.answer.sentMs)}, and was ${first.instead}`
      : `${told} answers, none of which is seen to be wrong`;
    const verdict = first ? 'fail' : 'pass';
    return [{ name, phase: 'all', verdict, measured: wrong.length, limit: 0, unit: 'answers', detail }];
  },
};

interface Wrong {
  readonly source: Source;
  readonly answer: AnswerEvent;
  /** What the client saw instead. */
  readonly instead: string;
}

/**
 * Refusals after which the bucket admitted sooner. What an instance remembers of a bucket that was lost is none of its; nor
 * does a fallback know what Redis will tell its instance.
 */
function tooLong(source: Source): Wrong[] {
  if (source.former !== undefined) return [];
  const admits = source.admits.toSorted((a, b) => a.sentMs - b.sentMs);
  const wrong: Wrong[] = [];
  let next = admits.length;
  let soonestMs = Number.POSITIVE_INFINITY; // of the admissions sent after the refusal was known
  const isTold = (fromMs: number, toMs: number) =>
    source.told.some(({ sentMs, receivedMs }) => receivedMs >= fromMs && sentMs <= toMs);
  for (const answer of source.rejects.toSorted((a, b) => b.receivedMs - a.receivedMs)) {
    for (let admit = admits[next - 1]; admit && admit.sentMs > answer.receivedMs; admit = admits[--next - 1]) {
      soonestMs = Math.min(soonestMs, admit.receivedMs);
    }
    const leastMs = ((answer.retryAfterS ?? 0) - 1) * 1000 * (1 - source.driftRatio) - roundingMs;
    if (soonestMs - answer.sentMs < leastMs && !isTold(answer.sentMs, soonestMs)) {
      wrong.push({ source, answer, instead: `admitted at ${seconds(soonestMs)}` });
    }
  }
  return wrong;
}

/**
 * Refusals after which a client that waited was refused again, though nothing can have been admitted meanwhile. A take that
 * Redis may have executed without being heard may be executed at any time since. A fallback goes on from what Redis told
 * its instance meanwhile. A bucket may be found empty after a fault.
 */
function tooShort(source: Source): Wrong[] {
  const unheardMs = Math.min(...source.uncertain.map(({ sentMs }) => sentMs));
  const admits = [...source.admits, ...source.told, ...source.emptied].sort((a, b) => a.sentMs - b.sentMs);
  const wrong: Wrong[] = [];
  let next = 0;
  let admittedMs = Number.NEGATIVE_INFINITY; // until when what was sent by the later refusal's receipt may have been
  let first: AnswerEvent | undefined; // told since
  for (const answer of source.rejects.toSorted((a, b) => a.sentMs - b.sentMs)) {
    if (answer.receivedMs >= unheardMs) break;
    for (let admit = admits[next]; admit && admit.sentMs <= answer.receivedMs; admit = admits[++next]) {
      admittedMs = Math.max(admittedMs, admit.receivedMs);
    }
    if (first && first.sentMs <= admittedMs) first = undefined;
    const waitedMs = first && answer.sentMs - first.receivedMs;
    if (first?.retryAfterS !== undefined && waitedMs !== undefined) {
      const enoughMs = first.retryAfterS * 1000 * (1 + source.driftRatio) + roundingMs;
      if (waitedMs >= enoughMs) {
        wrong.push({
          source,
          answer: first,
          instead: `refused at ${seconds(answer.sentMs)}, with nothing admitted since`,
        });
        first = undefined;
      }
    }
    if (answer.sentMs > admittedMs && answer.retryAfterS !== undefined) first ??= answer;
  }
  return wrong;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(3)} s`;
}
