// The limits that callers bring along. Those of late are remembered, each in the one place that its numbers lead to: there it
// takes the place of another one, so nothing is ever looked for or sorted out.

import { createLimit, fallbackShare, type Limit, type Sharing } from '../../core/limit.ts';

/** Tokens at once; as many as `count` refill in `periodSeconds`. Whole numbers from 1. */
export interface CallerRate {
  readonly capacity: number;
  readonly count: number;
  readonly periodSeconds: number;
}

interface Known extends CallerRate {
  readonly limit: Limit;
}

/** What counts under it stands where a policy's name would. */
const name = 'resp';

/** Near 2^32 divided by the golden ratio: spreads numbers that are near each other. */
const prime = 0x9e3779b1;

/** A power of two. */
const placesMax = 1024;

export class CallerLimits {
  readonly #sharing: Sharing;
  readonly #places: (Known | undefined)[] = new Array(placesMax).fill(undefined);

  constructor(sharing: Sharing) {
    this.#sharing = sharing;
  }

  of(rate: CallerRate): Limit {
    const { capacity, count, periodSeconds } = rate;
    const mixed = Math.imul(Math.imul(Math.imul(capacity, prime) ^ count, prime) ^ periodSeconds, prime);
    const place = (mixed >>> 16) & (placesMax - 1);
    const known = this.#places[place];
    if (known?.capacity === capacity && known.count === count && known.periodSeconds === periodSeconds)
      return known.limit;
    const limit = this.#create(rate);
    this.#places[place] = { ...rate, limit };
    return limit;
  }

  /** Its buckets are named by how fast they refill: a limit whose capacity alone is another keeps them. */
  #create({ capacity, count, periodSeconds }: CallerRate): Limit {
    return createLimit({
      name,
      prefix: `${name}/${(1_000_000 * periodSeconds) / count}us/`,
      capacity,
      refillPerSecond: count / periodSeconds,
      fallbackCapacity: fallbackShare(capacity, this.#sharing),
    });
  }
}
