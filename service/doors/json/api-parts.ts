// What the routes of the JSON API work with.

import type { Store } from '../../core/store.ts';
import type { Policy } from '../policy.ts';
import type { Tokens } from './tokens.ts';

export interface ApiParts {
  readonly limiter: Store;
  /** Those in force now. A list once returned stays as it is. */
  readonly policies: () => readonly Policy[];
  readonly tokens: Tokens;
}
