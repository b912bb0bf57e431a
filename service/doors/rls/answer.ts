// One request of Envoy's, decided: all that its descriptors ask for is taken, or nothing of it.
//
//   looks ─ something is used up ─▶ refused
//     └────▶ takes, together ──▶ decided            beside them: what is given back, and what is only tried out
//
// All buckets of a domain are together on one master of a cluster, so the takes are one call of the store, and a bucket is
// the same one whichever others are asked for with it.

import type { Buckets } from '../../core/buckets.ts';
import type { Charge, Decision, Store, Take } from '../../core/store.ts';
import type { Charged, Free } from './charged.ts';
import { code, type DescriptorStatus, type RlsResponse } from './response.ts';
import { responseHeadersOf } from './response-headers.ts';
import { rlsPolicy } from './rules.ts';

export interface AnswerParts {
  readonly limiter: Store;
  readonly buckets: Pick<Buckets, 'look' | 'refundAnyway'>;
  /** Whether an answer tells headers for the client's. */
  readonly withHeaders: boolean;
}

/** What was decided of each descriptor's bucket. */
type Told = Map<Charged, Decision>;

/** Rejects only on a defect of ours. */
export async function answerTo(
  domain: string,
  descriptors: readonly (Charged | Free)[],
  parts: AnswerParts,
): Promise<RlsResponse> {
  const told: Told = new Map();
  const together: Charged[] = [];
  const beside: Promise<void>[] = [];
  for (const one of descriptors) {
    if (one === 'unmatched' || one === 'unlimited') continue;
    if (one.isShadow || one.does === 'giveBack') beside.push(decideAlone(domain, one, parts, told));
    else together.push(one);
  }
  if (together.length > 0) await decideTogether(domain, together, parts, told);
  if (beside.length > 0) await Promise.all(beside);
  const statuses = descriptors.map((one) => statusOf(one, told));
  const overallCode = statuses.some((status) => status.code === code.overLimit) ? code.overLimit : code.ok;
  const headers = parts.withHeaders ? headersOf(descriptors, statuses, told) : [];
  return { overallCode, statuses, headers };
}

function headersOf(
  descriptors: readonly (Charged | Free)[],
  statuses: readonly DescriptorStatus[],
  told: Told,
): readonly string[] {
  const decisions = descriptors.map((one) => (typeof one === 'string' ? undefined : told.get(one)));
  return responseHeadersOf(statuses.map((status, i) => ({ status, decision: decisions[i] })));
}

async function decideTogether(
  domain: string,
  together: readonly Charged[],
  { limiter, buckets }: AnswerParts,
  told: Told,
): Promise<void> {
  const looks = together.filter(({ does }) => does === 'look');
  if (looks.length > 0) {
    const inTurn = [...takesOf(together), ...looks];
    const all = jointOf(domain, inTurn);
    tell(inTurn, all, await buckets.look(all.take), told);
    if (looks.some((look) => !told.get(look)?.allowed)) return;
  }
  const takes = looks.length > 0 ? takesOf(together) : together;
  if (takes.length === 0) return;
  const joint = jointOf(domain, takes);
  tell(takes, joint, await limiter.decide(joint.take), told);
}

async function decideAlone(domain: string, one: Charged, { limiter, buckets }: AnswerParts, told: Told): Promise<void> {
  const take = { key: domain, charges: [one.charge] };
  switch (one.does) {
    case 'take':
      told.set(one, await limiter.decide({ ...take, shadowOf: rlsPolicy }));
      break;
    case 'look':
      told.set(one, await buckets.look(take));
      break;
    case 'giveBack':
      told.set(one, await buckets.refundAnyway(take));
      break;
    default:
      one.does satisfies never;
  }
}

function takesOf(together: readonly Charged[]): readonly Charged[] {
  return together.filter(({ does }) => does === 'take');
}

/** One take of several descriptors, and which of its charges is each one's: those of one bucket are one charge. */
interface Joint {
  readonly take: Take;
  readonly at: readonly number[];
}

/** Looks stand behind what takes: a look asks for no token beside the others of its bucket. */
function jointOf(domain: string, together: readonly Charged[]): Joint {
  const charges: Charge[] = [];
  const at = together.map(({ charge, does }) => {
    const same = charges.findIndex(({ bucket }) => bucket === charge.bucket);
    if (same === -1) return charges.push(charge) - 1;
    if (does === 'take') charges[same] = { ...charge, cost: charge.cost + (charges[same] as Charge).cost };
    return same;
  });
  return { take: { key: domain, charges }, at };
}

function tell(together: readonly Charged[], { at }: Joint, decision: Decision, told: Told): void {
  const each = decision.each ?? [decision];
  for (const [i, one] of together.entries()) told.set(one, each[at[i] as number] as Decision);
}

function statusOf(one: Charged | Free, told: Told): DescriptorStatus {
  if (one === 'unmatched') return unmatched;
  if (one === 'unlimited') return unlimited;
  const { allowed, remaining, resetMs } = told.get(one) as Decision;
  const isOver = !allowed && !one.isShadow && one.does !== 'giveBack';
  const status = { code: isOver ? code.overLimit : code.ok };
  if (remaining === undefined) return { ...status, ...untold };
  return {
    ...status,
    currentLimit: one.currentLimit,
    limitRemaining: Math.min(remaining, one.currentLimit.requestsPerUnit),
    secondsUntilReset: Math.ceil(resetMs / 1000),
  };
}

/** Where no bucket stands behind the decision. */
const untold = { currentLimit: undefined, limitRemaining: 0, secondsUntilReset: undefined };
const unmatched: DescriptorStatus = { code: code.ok, ...untold };
/** As many as the field can tell, which is what envoyproxy/ratelimit says. */
const unlimited: DescriptorStatus = { ...unmatched, limitRemaining: 2 ** 32 - 1 };
