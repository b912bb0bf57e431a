// The vocabulary of an experiment. A scenario is data: what is broken, for how long, under which load.

/** What is broken, by the name of its kind, with its parameters. `faults/` says which kinds there are and what each takes. */
export interface FaultSpec {
  readonly kind: string;
  readonly [parameter: string]: unknown;
}

/**
 * What a fault forces on a sound limiter. `cut-off`: it cannot decide by its store in time, so the breaker must open and
 * the fallback must answer. `degraded`: some calls fail or are slow, and either may answer. `none`: the store decides on.
 * `starved`: the instance that is hit gets too little processor time: it answers late, and either may. `full`: it takes no new
 * connection, and goes on with those that it has. `unavailable`: it cannot answer at all.
 */
export const effects = ['cut-off', 'degraded', 'none', 'starved', 'full', 'unavailable'] as const;
export type Effect = (typeof effects)[number];

/** What becomes of the buckets: in the store; or, where one instance is hit, its own. `perhaps-lost`: a replica that had heard of most of them takes over. `perhaps-emptied`: each may be found empty, once. */
export const stateEffects = ['kept', 'lost', 'perhaps-lost', 'stale', 'perhaps-emptied'] as const;
export type StateEffect = (typeof stateEffects)[number];

/** What ends the effect: the heal; or a replica that takes the place of what was hit, while the fault still lasts. */
export const endings = ['heal', 'failover'] as const;
export type Ending = (typeof endings)[number];

/**
 * What a fault hits: the store links of all instances or of the first alone; likewise the front links; the first instance
 * itself; one master; the store that all share; who only observes the instances.
 */
export const reaches = [
  'store-links',
  'one-store-link',
  'front-links',
  'one-front-link',
  'one-instance',
  'one-shard',
  'shared-store',
  'observers',
] as const;
export type Reach = (typeof reaches)[number];

/** What a driver can pull; a fault needs some. */
export type Lever =
  | 'toxics'
  | 'front-toxics'
  | 'netns'
  | 'connections'
  | 'redis-process'
  | 'redis-config'
  | 'redis-program'
  | 'redis-clock'
  | 'limiter-process'
  | 'busy-processes'
  | 'limiter-clock'
  | 'prometheus-process'
  | 'topology';

/** A fault of a schedule. Times are milliseconds since the first request, the warm-up included. */
export interface ScheduledFault {
  readonly use: FaultSpec;
  /** What the fault hits by itself when it says nothing. */
  readonly on?: Reach;
  readonly atMs: number;
  readonly forMs: number;
  /** Once more every `ms`, `times` times in all. */
  readonly every?: { readonly ms: number; readonly times: number };
}

/** A load other than the usual one, for a time. Times are milliseconds since the first request, the warm-up included. */
export interface LoadChange {
  readonly atMs: number;
  readonly forMs: number;
  /** So many times the usual rate; the usual one when it says nothing. */
  readonly times?: number;
  /** The scenario's, as they are drawn; the most popular one alone; or each a new one, for which nobody asks again. */
  readonly keys?: 'popular' | 'one' | 'new';
  /** How often each request is sent again, at the same instant, whatever is answered; not at all when it says nothing. */
  readonly again?: number;
}

/**
 * What Redis the instances use: one; a cluster of three masters with a replica each; or a master with a replica, under
 * three Sentinels. In a cluster or under Sentinels clients are told the nodes' own addresses, so an instance has no
 * store link there that a network fault could be put on.
 */
export const topologies = ['single', 'cluster', 'sentinel'] as const;
export type Topology = (typeof topologies)[number];

/** What an instance answers while it cannot decide by its store, instead of by its fallback. */
export const storelessAnswers = ['allow', 'refuse'] as const;

export interface WithoutStore {
  readonly answer: (typeof storelessAnswers)[number];
  /** So much of each outage, in whole seconds; then the fallback decides. All of it when it says nothing. */
  readonly forMs?: number;
}

export interface Scenario {
  /** Lower-case words with hyphens. */
  readonly name: string;
  readonly family: 'steady' | 'load' | 'network' | 'clients' | 'observers' | 'redis' | 'process' | 'topology';
  /** One line: what is expected to hold. */
  readonly hypothesis: string;
  /** What is broken, and when; each is healed in its own time, and they may overlap. Nothing is when it says nothing. */
  readonly faults?: readonly ScheduledFault[];
  /** `single` when it says nothing. */
  readonly topology?: Topology;
  /** How long load is put on, and how long its beginning, which nobody judges, is. */
  readonly timing: { readonly warmupMs: number; readonly durationMs: number };
  /** Keys are drawn by Zipf's law: the n-th most popular with weight 1 / n^skew. */
  readonly keys: { readonly count: number; readonly skew: number };
  /** In order of time, one after another; the load stays as it is when it says nothing. */
  readonly load?: readonly LoadChange[];
  /** Environment of the limiter instances; the caller's environment wins over it. */
  readonly service: Readonly<Record<string, string>>;
  /** What the instances are to answer without their store. Their fallback decides when it says nothing. */
  readonly withoutStore?: WithoutStore;
}

export const phaseNames = ['baseline', 'onset', 'fault', 'heal', 'recovered'] as const;
export type PhaseName = (typeof phaseNames)[number];

/** Length of `onset` from an injection, and of `heal` from the healing of the last fault in place. */
export const onsetMs = 1000;
export const healMs = 2000;

/** The instances that faults are put on. */
export const limiterNames = ['limiter-1', 'limiter-2'] as const;

/** What a fault's target is called where it is the store that all share. */
export const sharedStoreName = 'redis';

/** And where it is the Prometheus that scrapes the instances. */
export const observerName = 'prometheus';

/** The instance whose links are never faulted. */
export const controlName = 'limiter-control';

/** What the judge knows of the limiter under test. */
export interface Bounds {
  /** The Redis bucket: B in tokens, r in tokens per second. */
  readonly capacity: number;
  readonly refillPerSecond: number;
  /** So many tokens a key is given before the Redis bucket refuses it; absent where the target says the most alone, and in files of an older lab. */
  readonly leastCapacity?: number;
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
  /** By so much more than usual the clocks of the run may drift apart, because a fault makes them; absent where none does. */
  readonly clockDriftRatio?: number;
  /** So much memory may the process of an instance have beyond that of its baseline; absent where nobody promises any. */
  readonly memoryGrowthMiB?: number;
  /** The promise: p99 in every phase is under this. */
  readonly p99Ms: number;
}
