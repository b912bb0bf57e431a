// Chance that a seed fixes: every draw of a world comes from here.

import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** After so many draws neighbouring seeds have nothing in common. */
const mixingDraws = 16;

export class Chance {
  readonly #generator: ReturnType<typeof xoroshiro128plus>;

  constructor(seed: number) {
    this.#generator = xoroshiro128plus(seed);
    for (let i = 0; i < mixingDraws; i++) this.#generator.next();
  }

  /** 0 ≤ x < 1. */
  readonly unit = (): number => uniformFloat64(this.#generator);

  /** min ≤ x < max. */
  between(min: number, max: number): number {
    return min + (max - min) * this.unit();
  }

  /** A whole number, min ≤ x ≤ max. */
  whole(min: number, max: number): number {
    return Math.floor(this.between(min, max + 1));
  }

  oneOf<T>(list: readonly T[]): T {
    return list[this.whole(0, list.length - 1)] as T;
  }

  /** Each of 0 … count − 1 with this probability; at least one of them. */
  some(count: number, probability: number): number[] {
    const chosen = Array.from({ length: count }, (_, i) => i).filter(() => this.unit() < probability);
    return chosen.length > 0 ? chosen : [this.whole(0, count - 1)];
  }
}
