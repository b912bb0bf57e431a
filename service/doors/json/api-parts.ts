// What the routes of the JSON API work with.

import type { Buckets } from '../../core/buckets.ts';
import type { Limiter } from '../../core/limiter.ts';
import type { TopKeys } from '../../metrics/top-keys.ts';
import type { Policy } from '../policy.ts';
import type { Tokens } from './tokens.ts';

export interface ApiParts {
  readonly limiter: Pick<Limiter, 'decide' | 'ask'>;
  readonly buckets: Pick<Buckets, 'look' | 'foresee' | 'reset' | 'refund'>;
  /** Those in force now. A list once returned stays as it is. */
  readonly policies: () => readonly Policy[];
  /** Whose requests are refused most, by this instance. */
  readonly top: () => Promise<TopKeys>;
  /** What is told in place of a key, where keys are not to be read. */
  readonly hashKey: ((key: string) => string) | undefined;
  /** Bits of an IPv6 address that tell clients apart. */
  readonly ipv6Prefix: number;
  readonly tokens: Tokens;
}
