// What token-bucket.lua answers, and whether an answer can be its: nothing else becomes a decision. A reply may be
// another call's (framed wrongly on the way), another script's, or that of a server which is no Redis.

import { inspect } from 'node:util';
import { StoreError } from '../core/store.ts';
import type { Bucket } from '../core/token-bucket.ts';

/** The debt in microseconds of a take that was allowed, -1 - debt of a denied one; of a key that holds no bucket, this word. */
export type ScriptResult = number | 'WRONGTYPE';

/** Redis's time in microseconds and a result for each take; the time alone when the script was too late to take any. */
export type ScriptReply = readonly [nowUs: number, ...results: ScriptResult[]];

/**
 * The reply, when each of its results is a decision within the bucket: nothing left of less than zero or more than the
 * capacity, no denial of what is there. Else throws a `StoreError` 'protocol'.
 */
export function scriptReplyOf(reply: unknown, bucket: Bucket, costs: readonly string[]): ScriptReply {
  if (!Array.isArray(reply) || (reply.length !== 1 && reply.length !== 1 + costs.length)) {
    throw misfit(`answered the script for ${costs.length} keys with`, reply);
  }
  const nowUs: unknown = reply[0];
  if (typeof nowUs !== 'number' || !(nowUs > 0 && nowUs <= Number.MAX_SAFE_INTEGER)) {
    throw misfit('told its time as', nowUs);
  }
  for (let i = 1; i < reply.length; i++) {
    if (!fits(reply[i], Number(costs[i - 1]) * bucket.tokenUs, bucket.capacityUs)) {
      throw misfit(`answered take ${i} of ${costs.length} with`, reply[i]);
    }
  }
  return reply as unknown as ScriptReply;
}

function fits(result: unknown, costUs: number, capacityUs: number): boolean {
  if (result === 'WRONGTYPE') return true;
  if (!Number.isSafeInteger(result)) return false;
  const number = result as number;
  if (number >= 0) return number <= capacityUs;
  const debtUs = -1 - number;
  return debtUs <= capacityUs && debtUs + costUs > capacityUs;
}

function misfit(did: string, answer: unknown): StoreError {
  const shown = inspect(answer, {
    depth: 1,
    maxArrayLength: 4,
    maxStringLength: 80,
    breakLength: Number.POSITIVE_INFINITY,
  });
  return new StoreError('protocol', `Redis ${did} ${shown}`);
}
