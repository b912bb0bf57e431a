// Who decided: the lab's words for it, and those of the wire. Targets say `redis` and `fallback` unless they name others,
// and journals and metrics keep these two.

import type { SourceKind } from '../history.ts';

/** In headers, journals and metrics. */
export const mechanismOf = { shared: 'redis', local: 'fallback' } as const satisfies Record<SourceKind, string>;

export type Mechanism = (typeof mechanismOf)[SourceKind];

/** Null for any other word than these. */
export function sourceKindOf(
  word: unknown,
  words: Readonly<Record<SourceKind, string>> = mechanismOf,
): SourceKind | null {
  return word === words.shared ? 'shared' : word === words.local ? 'local' : null;
}
