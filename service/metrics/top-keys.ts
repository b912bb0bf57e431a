// Whose requests are refused most: the keys that were, in the last five to ten minutes. Counted for so many keys as there
// is room for; a key's count may be too high by what is told with it, never too low.
//
//   before │ now            every five minutes, what is counted now becomes what was before

import type { Quota } from '../core/limit.ts';
import type { Charge, Decision, Take } from '../core/store.ts';
import { SpaceSaving } from './space-saving.ts';

export interface TopKey {
  readonly policy: string;
  /** As it stands in the names of its buckets. */
  readonly key: string;
  /** Takes, at the most. */
  readonly refused: number;
  /** By so much `refused` is too high at the most. */
  readonly errorAtMost: number;
}

/** What one counter has to tell. */
export interface TopKeys {
  /** Most refused first. */
  readonly keys: readonly TopKey[];
  /** Refused takes of a key that is not among them, at the most. */
  readonly unlistedMax: number;
}

const keysMax = 1000;
const turnUs = 300_000_000;

export class RefusedKeys {
  readonly #nowUs: () => number;
  #now = new SpaceSaving<Charge>(keysMax);
  #before = new SpaceSaving<Charge>(keysMax);
  #turnsAtUs: number;

  /** `nowUs`: a clock that never goes back, in microseconds. */
  constructor(nowUs: () => number) {
    this.#nowUs = nowUs;
    this.#turnsAtUs = nowUs() + turnUs;
  }

  /** A bucket refused the take. It counts for the policy whose limit binds. */
  refused({ charges }: Take, { quota }: Decision): void {
    this.#turn();
    const charge = charges.length === 1 ? charges[0] : firstOf(charges, quota);
    if (charge) this.#now.add(charge.bucket, charge);
  }

  all(): TopKeys {
    this.#turn();
    return topOf([listOf(this.#before), listOf(this.#now)]);
  }

  #turn(): void {
    const nowUs = this.#nowUs();
    if (nowUs < this.#turnsAtUs) return;
    const missed = nowUs >= this.#turnsAtUs + turnUs;
    this.#before = missed ? new SpaceSaving(keysMax) : this.#now;
    this.#now = new SpaceSaving(keysMax);
    this.#turnsAtUs = nowUs + turnUs;
  }
}

/** What all of them have counted together, of as many keys as one. */
export function topOf(lists: readonly TopKeys[]): TopKeys {
  const sums = new Map<string, TopKey>();
  const unlistedMax = lists.reduce((sum, list) => sum + list.unlistedMax, 0);
  for (const list of lists) {
    for (const { policy, key, refused, errorAtMost } of list.keys) {
      const name = JSON.stringify([policy, key]);
      const sum = sums.get(name) ?? { policy, key, refused: unlistedMax, errorAtMost: unlistedMax };
      // Until it is found in the list, it may have been the most that is not.
      sums.set(name, {
        ...sum,
        refused: sum.refused + refused - list.unlistedMax,
        errorAtMost: sum.errorAtMost + errorAtMost - list.unlistedMax,
      });
    }
  }
  const all = [...sums.values()].sort((one, other) => other.refused - one.refused);
  return { keys: all.slice(0, keysMax), unlistedMax: Math.max(unlistedMax, all[keysMax]?.refused ?? 0) };
}

/** Of the policy whose limit it is, the first charge: the same whichever limit of the policy refuses. */
function firstOf(charges: readonly Charge[], { name }: Quota): Charge | undefined {
  const policy = charges.find(({ limit }) => limit.shared.quota.name === name)?.limit.policy;
  return charges.find(({ limit }) => limit.policy === policy);
}

function listOf(sketch: SpaceSaving<Charge>): TopKeys {
  const keys = sketch.all().map(({ item: { limit, bucket }, count, error }) => ({
    policy: limit.policy,
    key: bucket.slice(limit.prefix.length),
    refused: count,
    errorAtMost: error,
  }));
  return { keys, unlistedMax: sketch.unlistedMax };
}
