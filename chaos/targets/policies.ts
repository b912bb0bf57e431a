// This project's policies file, for runs in which its limiter is told what to answer without Redis.

import type { Bounds, WithoutStore } from '../scenario.ts';
import { keyHeader } from './target.ts';

/** The policy's word for each, which is also that of the answer. */
export const storeFailureModes = { allow: 'open', refuse: 'closed' } as const satisfies Record<
  WithoutStore['answer'],
  string
>;

/** Says where the file is. */
export const policiesVariable = 'POLICIES_FILE';

/** What the file says in the place of these, which must not be set beside it. */
export const replacedByPolicies: readonly string[] = [
  'RATE_LIMIT',
  'RATE_LIMIT_WINDOW_SEC',
  'RATE_LIMIT_BURST',
  'KEY_HEADER',
];

/** The text of the file: one policy, with the buckets that the settings would have made, in JSON. */
export function policiesText(
  { answer, forMs }: WithoutStore,
  { capacity, refillPerSecond, fallbackCapacity }: Bounds,
): string {
  const mode = storeFailureModes[answer];
  const policy = {
    name: 'default',
    key: `header:${keyHeader}`,
    limits: [{ capacity, windowSeconds: Math.round(capacity / refillPerSecond), fallbackCapacity }],
    onStoreFailure: forMs === undefined ? mode : { [mode]: { forSeconds: forMs / 1000 } },
  };
  return `${JSON.stringify({ policies: [policy] }, null, 2)}\n`;
}
