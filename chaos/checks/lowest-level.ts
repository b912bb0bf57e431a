// The lowest level of a bucket that any choice of instants allows.
//
// Earlier takes are charged as late as they can have happened: what is charged earlier has more time to refill. Those under
// way at the same time are charged in full, and so is every take that Redis may have executed without its answer arriving.
// What may have emptied the bucket is charged likewise.

import { countBelow, itself } from '../ascending.ts';
import type { AnswerEvent } from '../history.ts';
import { ascending } from './quantile.ts';
import type { Emptying, Source } from './sources.ts';

/** A token and room for rounding: the service rounds the refill up to whole microseconds per token. */
export const surelyOne = 1.01;

export interface Lowest {
  readonly answer: AnswerEvent;
  /** In tokens, when the bucket decided it; after its own take where it was admitted. */
  readonly level: number;
}

/** At each of these answers of the bucket, in order of sending. */
export function lowestLevels(source: Source, answers: readonly AnswerEvent[]): Lowest[] {
  const perMs = (source.refillPerSecond * (1 - source.driftRatio)) / 1000;
  // Takes and tellings in the order in which their clients knew of them.
  const charges: (AnswerEvent | Emptying)[] = [...source.admits, ...source.told, ...source.emptied];
  charges.sort((a, b) => a.receivedMs - b.receivedMs);
  // Admissions whose clients knew of them while a telling was under way may have come after it, and have taken from it.
  const knownMs = ascending(source.admits.map(({ receivedMs }) => receivedMs));
  const atMost = new Map<AnswerEvent | Emptying, number>(
    source.told.map((telling) => {
      const since = countBelow(knownMs, telling.receivedMs, itself, true) - countBelow(knownMs, telling.sentMs, itself);
      return [telling, Math.max(0, (telling.remaining ?? 0) - since)];
    }),
  );
  for (const emptying of source.emptied) atMost.set(emptying, 0);
  const charged = (before: number, charge: AnswerEvent | Emptying) =>
    Math.min(before, atMost.get(charge) ?? before - 1);
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
      lowest -= countBelow(unheardMs, answer.receivedMs, itself, true);
      return { answer, level: lowest };
    });
}
