// The vocabulary of limiting: what is taken, what is answered, what can break.

import type { Limit, Quota } from './limit.ts';

/** What a take asks of one bucket. */
export interface Charge {
  readonly limit: Limit;
  /** The bucket's name: no other limit and no other key has one of the same name. */
  readonly bucket: string;
  /** Tokens: a whole number, 1 or more. */
  readonly cost: number;
}

/** One request for tokens of one bucket or several: all that it asks for is taken, or nothing. */
export interface Take {
  /** Whose buckets these are; says which shard of a store has them. */
  readonly key: string;
  /** At least one. */
  readonly charges: readonly Charge[];
  /** Of a policy that is only tried out, its name: nobody is answered by the decision. */
  readonly shadowOf?: string;
}

/** A take of `cost` tokens from the key's bucket of each limit. */
export function takeOf(limits: readonly Limit[], key: string, cost: number): Take {
  return { key, charges: limits.map((limit) => ({ limit, bucket: limit.prefix + key, cost })) };
}

/**
 * Who decided: the name of a store, that of the shared buckets or of this instance's own `fallback`; `open` or `closed`
 * when none did.
 */
export type Mechanism = string;

/** The answer to one take. A denial is an answer, never an error. Of several buckets, the one that binds is told. */
export interface Decision {
  readonly allowed: boolean;
  /** Capacity of the bucket that decided, in tokens. */
  readonly limit: number;
  /** Whole tokens left after this decision; absent where no bucket stands behind it. */
  readonly remaining?: number;
  /** Milliseconds until `cost` tokens exist; 0 when allowed, `Infinity` when the cost exceeds the capacity. */
  readonly retryAfterMs: number;
  /** Milliseconds until the bucket is full again. */
  readonly resetMs: number;
  readonly mechanism: Mechanism;
  /** The limit of the bucket that decided. */
  readonly quota: Quota;
  /** With several buckets, each of them: allowed when it alone would have allowed the take. */
  readonly each?: readonly Decision[];
}

/** Decides takes: at once, or by a promise that rejects with a `StoreError` when the take could not be decided. */
export interface Store {
  decide(take: Take): Decision | Promise<Decision>;
}

/** Who has asked for a decision and is told it later, once. */
export interface Asker {
  decided(decision: Decision): void;
  /** On a defect of ours, be it one that `decided` throws. */
  failed(defect: unknown): void;
}

/** What became of one take: decided, or not decidable for a reason that concerns its buckets alone. */
export type Outcome = Decision | StoreError;

/** Decides many takes in one call, in their order. Rejects with a `StoreError` when none of them could be decided. */
export interface BatchStore {
  decideMany(takes: readonly Take[]): Promise<Outcome[]>;
}

/** Why a store could not decide. The set is closed: it is a metric's label. */
export const storeErrorReasons = [
  'timeout', // no reply within the deadline
  'late', // the script ran after its deadline; it took nothing
  'refused', // nothing listens there
  'disconnected', // the connection is down or broke before the reply
  'dns', // the host's name does not resolve
  'tls', // no TLS: a port that does not speak it, or a certificate that is not trusted
  'protocol', // what answers there does not speak the store's protocol, or its answer does not fit the call
  'config', // the store is not what the settings say: without that database or Sentinels' master, or of another kind, as a cluster
  'loading', // the store still reads its data set
  'readonly', // a replica, after a failover
  'masterdown', // a replica cut off from its master
  'noreplicas', // too few replicas to accept writes
  'oom', // maxmemory reached and nothing may be evicted
  'misconf', // writes are refused because they cannot be persisted
  'clusterdown', // nobody in the cluster owns the key's slot, or it is on the move
  'busy', // another script has been running for too long
  'noscript', // the script is not in the store's cache (it is sent again; seen only when that fails)
  'noauth', // no or wrong credentials
  'noperm', // this user may not run the script, or not use the database
  'maxclients', // no more connections are accepted
  'wrongtype', // the key holds something that is not a bucket; concerns this key alone
  'other', // none of these
] as const;

export type StoreErrorReason = (typeof storeErrorReasons)[number];

/** The store could not decide: broken, as opposed to denied. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly reason: StoreErrorReason;

  constructor(reason: StoreErrorReason, message: string = reason, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
