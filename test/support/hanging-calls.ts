// What clients see of two instances whose every call to Redis hangs from 1 s on, at any rate: a model of the limiter's
// breaker, simulated in milliseconds. Requests that arrive in one turn of the event loop share a call, a timer is late by
// chance, and the last call of the row has begun after the first of it had failed.

import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { AnswerEvent, BreakerEvent } from '../../chaos/history.ts';
import { type HistorySpec, usualBounds } from './history-builder.ts';
import { answer, move } from './history-events.ts';

export interface HangingCalls {
  /** Requests per second over both. */
  readonly rate: number;
  readonly seed: number;
  readonly breakerFailures: number;
  /** How long after it should the breaker opens. */
  readonly lateMs: number;
}

const quiet = { rate: 0 };
const bitMs = 1001;
const healMs = 5000;
/** What a request takes beside its call, a turn of the event loop, and how late a timer may be. */
const [overheadMs, turnMs, timerLateMsMax] = [0.4, 0.5, 1.5];

export function hangingCalls({ rate, seed, breakerFailures, lateMs }: HangingCalls): HistorySpec {
  const random = xoroshiro128plus(seed);
  const uniform = () => uniformFloat64(random);
  const instances = ['limiter-1', 'limiter-2'].map((name) =>
    simulated(name, { rate: rate / 2, breakerFailures, lateMs }, uniform),
  );
  return {
    bounds: { breakerFailures },
    phases: { baseline: quiet, onset: quiet, fault: quiet, heal: quiet, recovered: quiet },
    answers: instances.flatMap(({ answers }) => answers),
    breaker: instances.flatMap(({ opening }) => opening),
  };
}

interface Call {
  readonly beginMs: number;
  readonly failMs: number;
}

function simulated(
  instance: string,
  { rate, breakerFailures, lateMs }: Omit<HangingCalls, 'seed'>,
  uniform: () => number,
): { answers: AnswerEvent[]; opening: BreakerEvent[] } {
  const answers: AnswerEvent[] = [];
  const calls: Call[] = [];
  let openMs = Number.POSITIVE_INFINITY;
  for (let sentMs = bitMs; ; ) {
    sentMs -= (Math.log(1 - uniform()) / rate) * 1000;
    if (sentMs >= healMs) break;
    const beginMs = sentMs + overheadMs / 2;
    const last = calls.at(-1);
    let failMs = beginMs;
    if (beginMs < openMs) {
      if (last && beginMs < last.beginMs + turnMs) failMs = last.failMs;
      else {
        failMs = beginMs + usualBounds.redisTimeoutMs + timerLateMsMax * uniform();
        calls.push({ beginMs, failMs });
        openMs = openingOf(calls, breakerFailures) + lateMs;
      }
    }
    const latencyMs = failMs + overheadMs / 2 - sentMs;
    answers.push(answer(sentMs, { instance, key: `${instance} ${answers.length}`, source: 'local', latencyMs }));
  }
  return { answers, opening: Number.isFinite(openMs) ? [move(instance, openMs, 'closed', 'open')] : [] };
}

/** When the last failure of a row long enough comes of a call that began after the first failure; infinite if none does. */
function openingOf(calls: readonly Call[], failures: number): number {
  const byFailure = calls.toSorted((a, b) => a.failMs - b.failMs);
  const firstMs = byFailure[0]?.failMs ?? Number.POSITIVE_INFINITY;
  const opens = byFailure.find(({ beginMs }, i) => i + 1 >= failures && (failures === 1 || beginMs > firstMs));
  return opens?.failMs ?? Number.POSITIVE_INFINITY;
}
