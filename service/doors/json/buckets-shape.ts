// The buckets of a key, as a client is told of them in JSON, and the refusal where Redis may not have changed them.

import { z } from 'zod';
import { type Decision, StoreError } from '../../core/store.ts';
import type { Policy } from '../policy.ts';
import { Refusal, unavailable } from './refusal.ts';

const bucketShape = z.object({
  name: z.string().describe('Of its limit, as in the header RateLimit-Policy.'),
  capacity: z.int().min(1).describe('Tokens.'),
  windowMs: z.number().gt(0).describe('Time in which it refills when it is empty.'),
  remaining: z.int().min(0).optional().describe('Whole tokens in it. Absent where no bucket decides.'),
  resetMs: z.int().min(0).optional().describe('Time until it is full. Absent where no bucket decides.'),
});

export const bucketsShape = z
  .object({
    policy: z.string(),
    mechanism: z
      .enum(['redis', 'fallback', 'open', 'closed'])
      .describe('Who would decide now, and so whose buckets these are.'),
    limits: z.array(bucketShape).describe('A bucket for each limit of the policy that has a say now.'),
  })
  .describe('The buckets of a key.');

type BucketsAnswer = z.infer<typeof bucketsShape>;

/** `decision`: what a take would be told. */
export function bucketsAnswerOf(decision: Decision, { name }: Policy): BucketsAnswer {
  return {
    policy: name,
    mechanism: decision.mechanism as BucketsAnswer['mechanism'],
    limits: (decision.each ?? [decision]).map(({ quota, remaining, resetMs }) => ({
      ...quota,
      remaining,
      resetMs: remaining === undefined ? undefined : Math.ceil(resetMs),
    })),
  };
}

export const storeRefusals = {
  409: 'Redis holds something under the name of a bucket that is none.',
  503: 'Redis did not answer in time. It may be tried again: nothing is done twice.',
};

/** Rejects with a `Refusal` where the store refuses or may not have heard. */
export async function orRefusal<T>(changed: Promise<T>): Promise<T> {
  try {
    return await changed;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const { reason, message } = error;
    if (reason === 'wrongtype') throw new Refusal(409, 'Conflict', `Redis: ${message}.`);
    const detail = `Redis did not say that it is done (${reason}). Try again: nothing is done twice.`;
    throw unavailable(detail);
  }
}
