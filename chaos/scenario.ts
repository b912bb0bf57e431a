// The vocabulary of an experiment. A scenario is data: what is broken, for how long, under which load.

/** What is broken. `links` are the store links of every instance but the control. */
export type FaultSpec =
  /** Every store link drops all data in both directions; connections stay up. */
  | { readonly kind: 'partition' }
  /** Every store link holds all data back, in both directions, and delivers it when healed; connections stay up. */
  | { readonly kind: 'stall' }
  /** Every store link delays data by `latencyMs` ± `jitterMs`, in both directions. */
  | { readonly kind: 'latency'; readonly latencyMs: number; readonly jitterMs: number }
  /** SIGKILL of Redis; restarted empty, on the same port, when healed. */
  | { readonly kind: 'redis-kill' }
  /** SIGKILL of one master, which a replica of it replaces by itself; restarted empty, to follow that one, when healed. */
  | { readonly kind: 'master-kill' };

/**
 * What Redis the instances use: one; a cluster of three masters with a replica each; or a master with a replica, under
 * three Sentinels. In a cluster or under Sentinels clients are told the nodes' own addresses, so an instance has no
 * store link there that a network fault could be put on.
 */
export type Topology = 'single' | 'cluster' | 'sentinel';

export interface Scenario {
  /** Lower-case words with hyphens. */
  readonly name: string;
  readonly family: 'steady' | 'network' | 'redis' | 'topology';
  /** One line: what is expected to hold. */
  readonly hypothesis: string;
  readonly fault?: FaultSpec;
  /** `single` when it says nothing. */
  readonly topology?: Topology;
  /** How long each stretch of load lasts. Without a fault everything after the warm-up is `baseline`. */
  readonly timing: {
    readonly warmupMs: number;
    readonly baselineMs: number;
    readonly faultMs: number;
    /** `heal` and `recovered` together. */
    readonly recoveryMs: number;
  };
  /** Keys are drawn by Zipf's law: the n-th most popular with weight 1 / n^skew. */
  readonly keys: { readonly count: number; readonly skew: number };
  /** Environment of the limiter instances; the caller's environment wins over it. */
  readonly service: Readonly<Record<string, string>>;
}

export const phaseNames = ['baseline', 'onset', 'fault', 'heal', 'recovered'] as const;
export type PhaseName = (typeof phaseNames)[number];

/** Length of `onset` from the injection, and of `heal` from the healing. */
export const onsetMs = 1000;
export const healMs = 2000;

/** How long load is put on, in milliseconds. */
export function loadMsOf(timing: Scenario['timing'], isFaulted: boolean): number {
  const { warmupMs, baselineMs, faultMs, recoveryMs } = timing;
  return warmupMs + baselineMs + (isFaulted ? faultMs + recoveryMs : 0);
}

/** The instances that faults are put on. */
export const limiterNames = ['limiter-1', 'limiter-2'] as const;

/** The instance whose links are never faulted. */
export const controlName = 'limiter-control';

/** What the judge knows of the limiter under test. */
export interface Bounds {
  /** The Redis bucket: B in tokens, r in tokens per second. */
  readonly capacity: number;
  readonly refillPerSecond: number;
  /** One instance's fallback bucket: β and ρ. */
  readonly fallbackCapacity: number;
  readonly fallbackRefillPerSecond: number;
  /** So many keys have a fallback bucket of their own in each instance; absent in files of an older lab. */
  readonly fallbackKeysMax?: number;
  readonly redisTimeoutMs: number;
  readonly breakerFailures: number;
  readonly breakerResetMs: number;
  /** The wait before a probe is at most breakerResetMs · (1 + this). */
  readonly resetJitterRatio: number;
  /** The limiter tries to connect again within this time of Redis being reachable. */
  readonly reconnectMs: number;
  /** The promise: p99 in every phase is under this. */
  readonly p99Ms: number;
}
