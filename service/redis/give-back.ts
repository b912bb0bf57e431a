// A call of give-back.lua: how tokens that go back to buckets are written for it, and what its answer says.

import { createHash } from 'node:crypto';
import type { GiveBack, GivenBack } from '../core/give-back.ts';
import type { Charge } from '../core/store.ts';
import { costUsOf } from '../core/token-bucket.ts';
import { misfit, notABucket } from './reply.ts';
import { scriptIn } from './script.ts';
import type { ScriptCall } from './script-runner.ts';

const script = scriptIn('./give-back.lua');
/** How long an id is known. */
const idKeptMs = 24 * 3600 * 1000;

type GiveBackReply = readonly [nowUs: number, isNew: 0 | 1, ...debtsUs: (number | 'WRONGTYPE')[]];

/** The call for buckets of these names in Redis, and behind them, where it has an id, the name for that. */
export function giveBackCall(giveBack: GiveBack, names: readonly string[]): ScriptCall<GiveBackReply> {
  const { charges } = giveBack.take;
  return {
    script,
    keys: names,
    args: [idKeptMs, ...charges.flatMap((charge) => [backUsOf(giveBack, charge), charge.limit.shared.capacityUs])].map(
      String,
    ),
    isProbe: false,
    replyOf: (reply) => giveBackReplyOf(reply, giveBack),
  };
}

/** What the answer of a call that was in time says. Throws a `StoreError` 'wrongtype' when a name holds no bucket. */
export function givenBackOf([, isNew, ...debtsUs]: GiveBackReply): GivenBack {
  if (debtsUs.includes('WRONGTYPE')) throw notABucket();
  return { isNew: isNew === 1, debtsUs: debtsUs as number[] };
}

/**
 * The name for an id of a refund to an owner of buckets: of fixed length, and nobody's key. An id counts for its owner
 * alone, since another one's buckets may be on another node.
 */
export function idNameOf(id: string, owner: string): string {
  return `refund:${createHash('sha256')
    .update(JSON.stringify([id, owner]))
    .digest('base64url')}`;
}

function backUsOf({ amount }: GiveBack, { limit: { shared }, cost }: Charge): number {
  switch (amount) {
    case 'nothing':
      return 0;
    case 'cost':
      return costUsOf(shared, cost);
    case 'all':
      return shared.capacityUs;
    default:
      return amount satisfies never;
  }
}

function giveBackReplyOf(reply: unknown, { take: { charges }, id }: GiveBack): GiveBackReply {
  if (!Array.isArray(reply) || (reply.length !== 1 && reply.length !== 2 + charges.length)) {
    throw misfit(`answered what goes back to ${charges.length} buckets with`, reply);
  }
  const [nowUs, isNew, ...debtsUs]: unknown[] = reply;
  if (typeof nowUs !== 'number' || !(nowUs > 0 && nowUs <= Number.MAX_SAFE_INTEGER)) {
    throw misfit('told its time as', nowUs);
  }
  const isLate = reply.length === 1;
  const known = isNew === 1 || (isNew === 0 && id !== undefined);
  const fits = charges.every(({ limit }, i) => isDebt(debtsUs[i], limit.shared.capacityUs));
  const foreign = debtsUs.every((debtUs) => debtUs === 'WRONGTYPE');
  if (!isLate && !(known && (fits || foreign))) throw misfit('answered what goes back with', reply.slice(1));
  return reply as unknown as GiveBackReply;
}

function isDebt(value: unknown, capacityUs: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= capacityUs;
}
