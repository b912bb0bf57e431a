// The lowest level of a bucket that any choice of instants allows.
//
// Earlier takes are charged as late as they can have happened: what is charged earlier has more time to refill. Those under
// way at the same time are charged in full, and so is every take that Redis may have executed without its answer arriving.

import type { AnswerEvent } from '../history.ts';
import { ascending } from './quantile.ts';
import { driftRatio, type Source } from './sources.ts';

/** A token and room for rounding: the service rounds the refill up to whole microseconds per token. */
export const surelyOne = 1.01;

export interface Lowest {
  readonly answer: AnswerEvent;
  /** In tokens, when the bucket decided it; after its own take where it was admitted. */
  readonly level: number;
}

/** At each of these answers of the bucket, in order of sending. */
export function lowestLevels(source: Source, answers: readonly AnswerEvent[]): Lowest[] {
  const perMs = (source.refillPerSecond * (1 - driftRatio)) / 1000;
  // Takes and tellings in the order in which their clients knew of them.
  const charges = [...source.admits, ...source.told].sort((a, b) => a.receivedMs - b.receivedMs);
  // Admissions whose clients knew of them while a telling was under way may have come after it, and have taken from it.
  const knownMs = ascending(source.admits.map(({ receivedMs }) => receivedMs));
  const toldTokens = new Map(
    source.told.map((telling) => {
      const since = countUntil(knownMs, telling.receivedMs) - countBefore(knownMs, telling.sentMs);
      return [telling, Math.max(0, (telling.remaining ?? 0) - since)];
    }),
  );
  const charged = (before: number, charge: AnswerEvent) => Math.min(before, toldTokens.get(charge) ?? before - 1);
  const unheardMs = ascending(source.uncertain.map(({ sentMs }) => sentMs));
  const spanMsMax = charges.reduce((max, { sentMs, receivedMs }) => Math.max(max, receivedMs - sentMs), 0);
  let level = source.capacity;
  let atMs = Number.NEGATIVE_INFINITY;
  let next = 0;
  const refillTo = (toMs: number) => {
    if (atMs !== Number.NEGATIVE_INFINITY) level = Math.min(source.capacity, level + (toMs - atMs) * perMs);
    atMs = toMs;
  };
  return answers
    .toSorted((a, b) => a.sentMs - b.sentMs)
    .map((answer) => {
      for (let charge = charges[next]; charge && charge.receivedMs <= answer.sentMs; charge = charges[++next]) {
        refillTo(charge.receivedMs);
        level = Math.max(0, charged(level, charge));
      }
      refillTo(answer.sentMs);
      let lowest = level;
      for (let i = next; i < charges.length; i++) {
        const charge = charges[i] as AnswerEvent;
        if (charge.receivedMs > answer.receivedMs + spanMsMax) break;
        if (charge.sentMs <= answer.receivedMs) lowest = charged(lowest, charge);
      }
      // Those that Redis may have executed, at any time since: at the worst now.
      lowest -= countUntil(unheardMs, answer.receivedMs);
      return { answer, level: lowest };
    });
}

/** How many of the sorted instants are not later. */
function countUntil(sorted: readonly number[], atMs: number): number {
  return countWhile(sorted, (ms) => ms <= atMs);
}

/** How many of the sorted instants are earlier. */
function countBefore(sorted: readonly number[], atMs: number): number {
  return countWhile(sorted, (ms) => ms < atMs);
}

/** How many of the sorted instants are so, all of which stand before the others. */
function countWhile(sorted: readonly number[], isSo: (ms: number) => boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isSo(sorted[middle] as number)) low = middle + 1;
    else high = middle;
  }
  return low;
}
