// Bound 1: whatever the window Δ, one bucket admits at most capacity + refill · Δ.
//
// When a decision fell is only known to lie between sending and receipt, so the question is whether *some* choice of
// instants obeys the bucket. The best choice is found by serving the admissions as a bucket would, earliest receipt
// first (EDF, optimal for unit jobs with release times and deadlines): if even so one is served only after its receipt,
// no choice works, and the tokens that would refill in that delay are the excess.
//
//   sent ├──────────────┤ received
//             ▲ served here: fine            served after `received`: excess = refill · lateness

import type { AnswerEvent, History } from '../history.ts';
import type { Check, CheckResult } from './check.ts';
import { driftRatio, type Source, sourcesOf } from './sources.ts';

export const admission: Check = {
  name: 'admission',
  property: 'one bucket admits at most capacity + refill · Δ in any window Δ',
  judge(history: History): CheckResult[] {
    const sources = sourcesOf(history).filter(({ admits }) => admits.length > 0);
    if (sources.length === 0) return [result('unknown', null, 'nothing was admitted')];
    let worst: { source: Source; excess: Excess } | undefined;
    for (const source of sources) {
      const excess = excessOf(source.admits, source.capacity, source.refillPerSecond * (1 + driftRatio));
      if (!worst || excess.tokens > worst.excess.tokens) worst = { source, excess };
    }
    const { source, excess } = worst as NonNullable<typeof worst>;
    if (excess.tokens <= 1e-6) {
      return [result('pass', 0, `${sources.length} buckets, none admitted a token too many`)];
    }
    const window = `${(excess.fromMs / 1000).toFixed(3)}–${(excess.toMs / 1000).toFixed(3)} s`;
    const detail = `${source.name} admitted ${excess.admitted} for key ${source.key} within ${window}`;
    return [result('fail', excess.tokens, detail)];
  },
};

function result(verdict: CheckResult['verdict'], measured: number | null, detail: string): CheckResult {
  return { name: 'admission', phase: 'all', verdict, measured, limit: 0, unit: 'tokens too many', detail };
}

export interface Excess {
  /** Tokens admitted beyond the bucket, by the kindest choice of instants; 0 when none. */
  readonly tokens: number;
  /** The window that shows it, and the admissions in it. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly admitted: number;
}

/** `refillPerSecond` in tokens per second; every admission costs one token. */
export function excessOf(admits: readonly AnswerEvent[], capacity: number, refillPerSecond: number): Excess {
  const perMs = refillPerSecond / 1000;
  const arriving = admits.toSorted((a, b) => a.sentMs - b.sentMs);
  const released: AnswerEvent[] = []; // latest receipt first, so that pop() gives the most urgent
  let worst: Excess = { tokens: 0, fromMs: 0, toMs: 0, admitted: 0 };
  let next = 0;
  let nowMs = arriving[0]?.sentMs ?? 0;
  let level = capacity;
  let busySinceMs = nowMs;
  let busyAdmits = 0;

  const advance = (toMs: number) => {
    level += (toMs - nowMs) * perMs;
    nowMs = toMs;
    if (level >= capacity) {
      level = capacity;
      busySinceMs = nowMs;
      busyAdmits = 0;
    }
  };
  while (next < arriving.length || released.length > 0) {
    if (released.length === 0) advance(Math.max(nowMs, arriving[next]?.sentMs ?? nowMs));
    while (next < arriving.length && (arriving[next] as AnswerEvent).sentMs <= nowMs) {
      insertByReceipt(released, arriving[next] as AnswerEvent);
      next++;
    }
    if (level < 1 - 1e-9) {
      const affordableMs = nowMs + (1 - level) / perMs;
      advance(Math.min(affordableMs, arriving[next]?.sentMs ?? affordableMs));
      continue;
    }
    const served = released.pop() as AnswerEvent;
    level -= 1;
    busyAdmits++;
    const tokens = (nowMs - served.receivedMs) * perMs;
    if (tokens > worst.tokens) {
      worst = { tokens, fromMs: busySinceMs, toMs: served.receivedMs, admitted: busyAdmits };
    }
  }
  return worst;
}

function insertByReceipt(released: AnswerEvent[], answer: AnswerEvent): void {
  let at = released.length;
  while (at > 0 && (released[at - 1] as AnswerEvent).receivedMs < answer.receivedMs) at--;
  released.splice(at, 0, answer);
}
