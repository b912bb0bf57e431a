// Limits that requests bring along. Whoever asks chooses them, so only those of late are kept, in two halves: a full half
// takes the place of the older one.

import { unitNumbers } from './response.ts';
import { type RlsRate, type RlsRateOptions, type RlsUnit, rlsRateOf } from './rules.ts';

const halfMax = 1000;

const unitsByNumber: ReadonlyMap<number, RlsUnit> = new Map(
  Object.entries(unitNumbers).map(([unit, number]) => [number, unit as RlsUnit]),
);

export class Overrides {
  readonly #shares: Pick<RlsRateOptions, 'instances' | 'workers'>;
  #newer = new Map<string, RlsRate>();
  #older: ReadonlyMap<string, RlsRate> = new Map();

  constructor(shares: Pick<RlsRateOptions, 'instances' | 'workers'>) {
    this.#shares = shares;
  }

  /** `unit`: its number in the protocol; undefined for one that is none. */
  rateOf({ requestsPerUnit, unit: number }: { requestsPerUnit: number; unit: number }): RlsRate | undefined {
    const unit = unitsByNumber.get(number);
    if (unit === undefined) return undefined;
    const name = `${requestsPerUnit}/${unit}`;
    const known = this.#newer.get(name);
    if (known) return known;
    const rate = this.#older.get(name) ?? rlsRateOf({ unit, requestsPerUnit, ...this.#shares });
    if (this.#newer.size >= halfMax) {
      this.#older = this.#newer;
      this.#newer = new Map();
    }
    this.#newer.set(name, rate);
    return rate;
  }
}
