// The load as data: when which key asks which instance. Open loop: the schedule is fixed beforehand and knows nothing of
// the answers, so a slow limiter cannot slow down its own examination.

import { randomBytes } from 'node:crypto';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { countBelow, itself } from '../ascending.ts';
import type { LoadChange } from '../scenario.ts';
import type { Target } from '../targets/target.ts';
import { loadAt } from './load-changes.ts';

export interface LoadPlan {
  readonly seed: number;
  /** The usual requests per second, over all `targets`. */
  readonly rate: number;
  readonly durationMs: number;
  readonly keys: { readonly count: number; readonly skew: number };
  readonly load?: readonly LoadChange[];
  /** Ends the name of every key that is sent, and of no other run's. */
  readonly keySuffix: string;
  /** How the limiter is asked, and what its answers mean. */
  readonly target: Pick<Target, 'take' | 'transport' | 'answer' | 'idlePath'>;
  readonly targets: readonly { readonly instance: string; readonly url: string }[];
  /** Gets what the first target gets, at the same time; for keys of its own where it is the same limiter. */
  readonly control?: { readonly instance: string; readonly url: string };
}

export interface Arrival {
  /** Milliseconds since the start of the load. */
  readonly atMs: number;
  /** Without the run's suffix: a schedule knows nothing of the run. */
  readonly key: string;
  /** Index into `targets`. */
  readonly target: number;
}

/** The most popular one: rank 0. */
export const hotKey = keyOf(0);

/**
 * A suffix that no other run has. The limiters of a run may be older than the run, as in a stack that stays up, and so
 * may the buckets in their memory and in their Redis. A key of its own is one that nobody has asked for before: all of
 * its buckets are full.
 */
export function freshKeySuffix(): string {
  return `-${randomBytes(5).toString('hex')}`;
}

/** What the schedule depends on. */
export type Schedule = Pick<LoadPlan, 'seed' | 'rate' | 'durationMs' | 'keys' | 'load'> & {
  readonly targets: readonly unknown[];
};

/** Poisson arrivals, keys by Zipf's law, targets evenly by chance. The same seed gives the same schedule. */
export function* arrivalsOf({ seed, rate, durationMs, keys, targets, load = [] }: Schedule): Generator<Arrival> {
  const random = xoroshiro128plus(seed);
  const uniform = () => uniformFloat64(random);
  const cumulative = zipf(keys.count, keys.skew);
  const names = Array.from(cumulative, (_, rank) => keyOf(rank)); // the same string each time: no map hashes it anew
  let news = 0;
  const keyIn = {
    popular: () => names[countBelow(cumulative, uniform(), itself)] as string,
    one: () => hotKey,
    new: () => `new${news++}`,
  };
  let atMs = 0;
  let now = loadAt(load, atMs);
  for (;;) {
    if (atMs >= now.untilMs) now = loadAt(load, atMs);
    const { times, keys, again, untilMs } = now;
    const nextMs = atMs - (Math.log(1 - uniform()) / (rate * times)) * 1000;
    if (Math.min(nextMs, untilMs) >= durationMs) return;
    atMs = Math.min(nextMs, untilMs);
    if (nextMs >= untilMs) continue; // Poisson arrivals have no memory: the wait begins anew at the other rate
    const arrival = { atMs, key: keyIn[keys](), target: Math.floor(uniform() * targets.length) };
    for (let sent = 0; sent <= again; sent++) yield arrival;
  }
}

/** How many requests each instance gets; `control` what the first of the others does. */
export function requestsOf(schedule: Schedule, targets: readonly string[], control: string): Record<string, number> {
  const counts = targets.map(() => 0);
  for (const { target } of arrivalsOf(schedule)) counts[target] = (counts[target] ?? 0) + 1;
  const each = targets.map((name, i) => [name, counts[i] ?? 0] as const);
  return Object.fromEntries([...each, [control, counts[0] ?? 0]]);
}

/** By popularity. */
function keyOf(rank: number): string {
  return `k${rank}`;
}

/** Cumulative probabilities of ranks 0 … count − 1. */
function zipf(count: number, skew: number): Float64Array {
  const cumulative = new Float64Array(count);
  let sum = 0;
  for (let rank = 0; rank < count; rank++) {
    sum += 1 / (rank + 1) ** skew;
    cumulative[rank] = sum;
  }
  return cumulative.map((value) => value / sum);
}
