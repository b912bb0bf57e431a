// Bound 1: whatever the window Δ, one bucket admits at most capacity + refill · Δ.
//
// When a decision fell is only known to lie between sending and receipt, so the question is whether *some* choice of
// instants obeys the bucket. The kindest choice pays for what is under way with the refill that a full bucket would lose,
// most urgent first, and charges the rest at the receipt. If even so the bucket goes below zero, no choice works, and the
// tokens that it lacks are the excess.
//
//   sent ├──────────────┤ received
//             ▲ paid by refill that would be lost    ▲ the rest is charged here, at the latest

import type { AnswerEvent, History } from '../history.ts';
import type { Check, CheckResult } from './check.ts';
import { sourcesOf } from './sources.ts';
import { type Pool, poolsOf } from './without-source.ts';

export const admission: Check = {
  name: 'admission',
  property: 'one bucket admits at most capacity + refill · Δ in any window Δ',
  needs: [],
  judge(history: History): CheckResult[] {
    const sources = bucketsIn(history).filter(({ admits }) => admits.length > 0);
    if (sources.length === 0) return [result('unknown', null, 'nothing was admitted')];
    let worst: { source: Pool; excess: Excess } | undefined;
    for (const source of sources) {
      const excess = excessOf(source.admits, source.capacity, source.refillPerSecond);
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

/** Each bucket by itself where the target says who decided; else all together that may have. */
function bucketsIn(history: History): Pool[] {
  if (!history.run.gives.includes('source')) return poolsOf(history);
  return sourcesOf(history).map((source) => ({
    ...source,
    refillPerSecond: source.refillPerSecond * (1 + source.driftRatio),
  }));
}

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
  const bySending = admits.toSorted((a, b) => a.sentMs - b.sentMs).map((answer) => ({ answer, unpaid: 1 }));
  const byReceipt = bySending.toSorted((a, b) => a.answer.receivedMs - b.answer.receivedMs);
  const underWay: typeof bySending = []; // in order of receipt
  let level = capacity;
  let nowMs = bySending[0]?.answer.sentMs ?? 0;
  let tokens = 0;
  let toMs = 0;
  let next = 0;
  const refillTo = (ms: number) => {
    level += (ms - nowMs) * perMs;
    nowMs = ms;
    // What does not fit into the bucket pays for what is under way, the most urgent first; else it is lost.
    for (let first = underWay[0]; level > capacity && first; first = underWay[0]) {
      const paid = Math.min(level - capacity, first.unpaid);
      level -= paid;
      first.unpaid -= paid;
      if (first.unpaid > 0) break;
      underWay.shift();
    }
    level = Math.min(level, capacity);
  };
  for (const due of byReceipt) {
    for (let sent = bySending[next]; sent && sent.answer.sentMs <= due.answer.receivedMs; sent = bySending[++next]) {
      refillTo(sent.answer.sentMs);
      insertByReceipt(underWay, sent);
    }
    refillTo(due.answer.receivedMs);
    if (underWay[0] === due) underWay.shift();
    level -= due.unpaid;
    if (-level > tokens) {
      tokens = -level;
      toMs = due.answer.receivedMs;
    }
  }
  return { tokens, ...witnessOf(admits, capacity, perMs, tokens, toMs) };
}

/** The window until `toMs` that shows the excess. */
function witnessOf(admits: readonly AnswerEvent[], capacity: number, perMs: number, tokens: number, toMs: number) {
  if (tokens === 0) return { fromMs: 0, toMs: 0, admitted: 0 };
  const inside = admits.filter(({ receivedMs }) => receivedMs <= toMs).sort((a, b) => b.sentMs - a.sentMs);
  const last = inside.findIndex(({ sentMs }, i) => i + 1 - capacity - (toMs - sentMs) * perMs >= tokens - 1e-6);
  return { fromMs: inside[last]?.sentMs ?? 0, toMs, admitted: last + 1 };
}

interface UnderWay {
  readonly answer: AnswerEvent;
  /** The part of its token that nothing has paid for yet. */
  unpaid: number;
}

function insertByReceipt(underWay: UnderWay[], admission: UnderWay): void {
  let at = underWay.length;
  while (at > 0 && (underWay[at - 1] as UnderWay).answer.receivedMs > admission.answer.receivedMs) at--;
  underWay.splice(at, 0, admission);
}
