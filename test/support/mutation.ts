// A way in which a limiter or a record can be wrong.

import type { History } from '../../chaos/history.ts';

export interface Mutation {
  /** What is wrong, with `{}` where the size stands. */
  readonly kind: string;
  /** From small to large. */
  readonly sizes: readonly number[];
  /** The smallest that is caught in every run. */
  readonly smallest: number;
  readonly run: (seed: number, size: number) => History;
  readonly check: string;
  readonly verdict: 'fail' | 'unknown';
  /** Checks that rightly fail as well. */
  readonly also?: readonly string[];
}
