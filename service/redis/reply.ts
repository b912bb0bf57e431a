// What token-bucket.lua answers, and whether an answer can be its: nothing else becomes a decision. A reply may be
// another call's (framed wrongly on the way), another script's, or that of a server which is no Redis.

import { inspect } from 'node:util';
import { decisionOfTake } from '../core/decision.ts';
import { type Charge, type Mechanism, type Outcome, StoreError, type Take } from '../core/store.ts';
import { costUsOf, holds } from '../core/token-bucket.ts';

/** The debt in microseconds after an allowed take, -1 - debt after a denied one; of a take that meets no bucket, this word. */
export type ScriptResult = number | 'WRONGTYPE';

/** Redis's time in microseconds and a result for each bucket; the time alone when the script was too late to take any. */
export type ScriptReply = readonly [nowUs: number, ...results: ScriptResult[]];

/**
 * The reply, when its results for each take make a decision: nothing left of less than zero or more than the capacity, no
 * denial of what is there, all buckets of a take of one mind. Else throws a `StoreError` 'protocol'.
 */
export function scriptReplyOf(reply: unknown, takes: readonly Take[]): ScriptReply {
  const buckets = takes.reduce((sum, { charges }) => sum + charges.length, 0);
  if (!Array.isArray(reply) || (reply.length !== 1 && reply.length !== 1 + buckets)) {
    throw misfit(`answered the script for ${buckets} keys with`, reply);
  }
  const nowUs: unknown = reply[0];
  if (typeof nowUs !== 'number' || !(nowUs > 0 && nowUs <= Number.MAX_SAFE_INTEGER)) {
    throw misfit('told its time as', nowUs);
  }
  if (reply.length > 1) {
    let at = 1;
    for (const [i, { charges }] of takes.entries()) {
      if (!fits(reply, at, charges)) {
        const results = charges.length === 1 ? reply[at] : reply.slice(at, at + charges.length);
        throw misfit(`answered take ${i + 1} of ${takes.length} with`, results);
      }
      at += charges.length;
    }
  }
  return reply as unknown as ScriptReply;
}

/** What each take is told by a reply that fits. */
export function outcomesOf(reply: ScriptReply, takes: readonly Take[], mechanism: Mechanism): Outcome[] {
  let at = 1;
  return takes.map((take) => {
    const first = reply[at] as ScriptResult;
    const allowed = typeof first === 'number' && first >= 0;
    const debtsUs = take.charges.map(() => debtUsOf(reply[at++] as number));
    if (first === 'WRONGTYPE') return notABucket();
    return decisionOfTake(take, 'shared', allowed, debtsUs, mechanism);
  });
}

function debtUsOf(result: number): number {
  return result >= 0 ? result : -1 - result;
}

/** Whether the results from `at` on may be those of a take. */
function fits(reply: readonly unknown[], at: number, charges: readonly Charge[]): boolean {
  const first = reply[at];
  let isDenied = false;
  for (let i = 0; i < charges.length; i++) {
    const result = reply[at + i];
    if (first === 'WRONGTYPE' && result === 'WRONGTYPE') continue;
    if (!Number.isSafeInteger(result) || (result as number) >= 0 !== (first as number) >= 0) return false;
    const { limit, cost } = charges[i] as Charge;
    const debtUs = debtUsOf(result as number);
    // After an allowed take the bucket owes at least what that cost.
    if (debtUs > limit.shared.capacityUs || ((result as number) >= 0 && debtUs < costUsOf(limit.shared, cost)))
      return false;
    if (!holds(limit.shared, debtUs, cost)) isDenied = true;
  }
  return first === 'WRONGTYPE' || (first as number) >= 0 || isDenied;
}

/** Redis holds something else under a bucket's name. */
export function notABucket(): StoreError {
  return new StoreError('wrongtype', 'the key holds something that is not a bucket');
}

/** Redis gave an answer that the script cannot have given. */
export function misfit(did: string, answer: unknown): StoreError {
  const shown = inspect(answer, {
    depth: 1,
    maxArrayLength: 4,
    maxStringLength: 80,
    breakLength: Number.POSITIVE_INFINITY,
  });
  return new StoreError('protocol', `Redis ${did} ${shown}`);
}
