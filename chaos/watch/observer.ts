// Watches without touching the load: each instance's breaker by what it reports of it, each link by a look of the lab's own.

import { monotonicUs } from '../clock.ts';
import type { Environment, Instance } from '../environment.ts';
import type { Fault, Target } from '../faults/fault.ts';
import type { BreakerEvent, ProbeEvent } from '../history.ts';
import { type Ping, ping } from '../host/ping.ts';

const pingMsMax = 400;
const statusMsMax = 2000;
/** The instants between which an answer fell are the closer, the more often it is asked for. */
const clockLooks = 5;
/** Two processes of one machine read its clock alike, to less than this. */
const clockMsMax = 1;

/** What an instance reports, as JSON, at the path that its target names. */
interface Status {
  readonly breaker?: {
    readonly state?: string;
    readonly nowMs?: number;
    readonly transitions?: readonly { atMs: number; shard?: string; from: string; to: string }[];
  };
}

/** Time zero of a run, on both clocks. */
export interface Zero {
  readonly us: number;
  /** Unix time. */
  readonly epochMs: number;
}

export function zeroIn(ms: number): Zero {
  return { us: monotonicUs() + ms * 1000, epochMs: performance.timeOrigin + performance.now() + ms };
}

export function sinceZeroMs(zero: Zero): number {
  return Math.round(monotonicUs() - zero.us) / 1000;
}

/**
 * How far the clock that dates an instance's moves is ahead of the lab's. The instance may be older than the run, and its
 * clock set, or the machine asleep, in between; or it has a machine of its own. 0 where the two may be the same, or where
 * nothing is reported of it.
 */
export async function clockAheadMs({ url }: Instance, path: string, zero: Zero): Promise<number> {
  let [least, most] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let look = 0; look < clockLooks; look++) {
    const sentMs = zero.epochMs + sinceZeroMs(zero);
    const nowMs = (await statusAt(`${url}${path}`).catch(() => undefined))?.breaker?.nowMs;
    const receivedMs = zero.epochMs + sinceZeroMs(zero);
    if (typeof nowMs !== 'number') return 0;
    least = Math.max(least, nowMs - receivedMs);
    most = Math.min(most, nowMs - sentMs);
  }
  const mayBeSame = least <= clockMsMax && most >= -clockMsMax;
  return mayBeSame ? 0 : (least + most) / 2;
}

async function statusAt(url: string): Promise<Status> {
  const response = await fetch(url, { signal: AbortSignal.timeout(statusMsMax) });
  return (await response.json()) as Status;
}

/** The moves of an instance's breakers since time zero, as it reports them at this path; undefined when it does not. */
export async function breakerMoves(
  { name, url }: Instance,
  path: string,
  zero: Zero,
  aheadMs = 0,
): Promise<BreakerEvent[] | undefined> {
  try {
    const { breaker } = await statusAt(`${url}${path}`);
    const moves = breaker?.transitions
      ?.map(({ atMs, shard, from, to }) => ({
        type: 'breaker' as const,
        instance: name,
        ...(shard === undefined ? {} : { shard }),
        atMs: Math.round((atMs - aheadMs - zero.epochMs) * 1000) / 1000,
        from,
        to,
      }))
      .filter(({ atMs }) => atMs >= 0);
    return moves && [...moves, ...goneIn(moves, breaker?.state, sinceZeroMs(zero))];
  } catch {
    return undefined;
  }
}

/**
 * What an instance does not report: that the last move of a breaker led elsewhere, and yet all that it has are closed,
 * because that one's Redis is no master any more. Seen now, and some time since the last look.
 */
function goneIn(moves: readonly BreakerEvent[], state: string | undefined, atMs: number): BreakerEvent[] {
  if (state !== 'closed') return [];
  const last = new Map(moves.map((move) => [move.shard, move]));
  return [...last.values()].flatMap(({ to, ...move }) =>
    move.shard === undefined || to === 'closed' ? [] : [{ ...move, atMs, from: to, to: 'gone' }],
  );
}

/**
 * How often a link that answers is looked through, for its quickest answer: one that is slow by chance is no fault. More often
 * where even that would be the fault: a fault of 1 ms is less than a busy machine often adds.
 */
const pings = { usual: 3, max: 8 };

/**
 * One look at every instance that is hit, and at the control, which is expected to be healthy whatever happens to the
 * others. What all share is looked at through the store link of each. At a `hidden` one, where another fault shows,
 * nothing could be told of this one. Who only observes them is looked at alone.
 */
export async function probeLinks(
  environment: Environment,
  fault: Looked,
  targets: readonly Target[],
  expected: ProbeEvent['expected'],
  zero: Zero,
  hidden: ReadonlySet<string> = new Set(),
): Promise<ProbeEvent[]> {
  const isSeen = (name: string) => !hidden.has(name) && targets.some((target) => isLookedForAt(name, target));
  const seenAt = environment.instances.filter(({ name, control }) => control || isSeen(name));
  const isAside = targets.some(({ at }) => at === 'observer');
  const looked = isAside ? targets : seenAt.map((instance): Target => ({ name: instance.name, instance }));
  return Promise.all(
    looked.map(async (target) => {
      const { name, instance } = target;
      const seen = await lookAt(environment, target, fault);
      return {
        type: 'probe' as const,
        instance: name,
        atMs: sinceZeroMs(zero),
        expected: instance?.control ? 'healthy' : expected,
        seen: fault.bites(seen) ? 'broken' : seen.outcome === 'pong' ? 'healthy' : 'other',
        detail: `${seen.outcome === 'other' ? seen.reply : seen.outcome} after ${seen.ms.toFixed(1)} ms`,
      } satisfies ProbeEvent;
    }),
  );
}

/** Whether what is put on the target is looked for at that instance. */
function isLookedForAt(instance: string, target: Target): boolean {
  return target.at !== 'observer' && (target.instance === undefined || target.instance.name === instance);
}

/** Whether both show at that instance, in the same place: what is seen there may be of either. */
export function isHiddenAt(instance: string, target: Target, other: Target): boolean {
  const isOfBoth = [target, other].every((it) => isLookedForAt(instance, it));
  return isOfBoth && (target.at === other.at || target.at === 'instance' || other.at === 'instance');
}

type Looked = Pick<Fault, 'look' | 'probe' | 'lookMs' | 'looks' | 'bites'>;

async function lookAt(
  environment: Environment,
  target: Target,
  { look, probe, lookMs, looks, bites }: Looked,
): Promise<Ping> {
  const { host = '', port = 0 } = target.instance?.storeLink ?? {}; // who only observes is seen by a look of its own
  const once = () => (look ? look(environment, target, pingMsMax) : ping(host, port, pingMsMax, probe));
  if (looks === undefined) return lookMs === undefined ? quickestOf(once, bites) : slowestOf(once, lookMs);
  // Of a fault that some connections escape: through one that it is on, if there is any.
  const seen = await Promise.all(Array.from({ length: looks }, once));
  return seen.find(bites) ?? (seen[0] as Ping);
}

async function quickestOf(once: () => Promise<Ping>, bites: Looked['bites']): Promise<Ping> {
  let quickest = await once();
  for (let i = 1; quickest.outcome === 'pong' && i < (bites(quickest) ? pings.max : pings.usual); i++) {
    const next = await once();
    if (next.outcome !== 'pong' || next.ms < quickest.ms) quickest = next;
  }
  return quickest;
}

/** The first that failed, if one did. */
async function slowestOf(once: () => Promise<Ping>, lookMs: number): Promise<Ping> {
  const endUs = monotonicUs() + lookMs * 1000;
  let slowest = await once();
  while (slowest.outcome === 'pong' && monotonicUs() < endUs) {
    const next = await once();
    if (next.outcome !== 'pong' || next.ms > slowest.ms) slowest = next;
  }
  return slowest;
}
