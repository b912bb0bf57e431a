// What a client is told of a decision, in JSON.

import { z } from 'zod';
import type { Decision } from '../../core/store.ts';
import type { Policy } from '../policy.ts';

const ms = z.int().min(0);

export const decisionShape = z
  .object({
    allowed: z.boolean(),
    limit: z
      .int()
      .min(1)
      .describe('Capacity of the bucket that decided, in tokens; of several, of the one that binds.'),
    remaining: z
      .int()
      .min(0)
      .optional()
      .describe('Whole tokens left in it. Absent where no bucket stands behind the decision.'),
    retryAfterMs: ms
      .optional()
      .describe(
        'When the same may be allowed; 0 when allowed. Absent where it cannot be: the cost is over what the fallback holds.',
      ),
    resetMs: ms
      .optional()
      .describe('Time until the bucket is full again. Absent where no bucket stands behind the decision.'),
    mechanism: z.enum(['redis', 'fallback', 'open', 'closed']).describe('Who decided.'),
    policy: z.string(),
    shadow: z
      .enum(['allowed', 'denied'])
      .optional()
      .describe('What a policy that is only tried out would have said; allowed is true there, always.'),
  })
  .describe('A decision.');

export type DecisionAnswer = z.infer<typeof decisionShape>;

/** Milliseconds are rounded up: whoever waits so long has waited enough. */
export function answerOf(decision: Decision, { name, isShadow }: Policy): DecisionAnswer {
  const { allowed, limit, remaining, retryAfterMs, resetMs, mechanism } = decision;
  return {
    allowed: allowed || isShadow,
    limit,
    remaining,
    retryAfterMs: isShadow ? 0 : Number.isFinite(retryAfterMs) ? Math.ceil(retryAfterMs) : undefined,
    resetMs: remaining === undefined ? undefined : Math.ceil(resetMs),
    mechanism: mechanism as DecisionAnswer['mechanism'],
    policy: name,
    shadow: isShadow ? (allowed ? 'allowed' : 'denied') : undefined,
  };
}
