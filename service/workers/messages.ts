// What the primary and its workers send each other. Imports nothing but words.

import type { ForgivenDebt } from '../core/give-back.ts';
import type { DoorName } from '../doors/door.ts';
import type { Readiness } from '../doors/readiness.ts';
import type { MetricsSnapshot } from '../metrics/metrics.ts';
import type { TopKeys } from '../metrics/top-keys.ts';
import type { OutageCause } from '../redis/outages.ts';

/** What a worker reports of itself. */
export interface WorkerReport {
  readonly metrics: MetricsSnapshot;
  readonly readiness: Readiness;
}

export type FromWorker =
  /** It can decide. */
  | ({ readonly type: 'ready' } & WorkerReport)
  /** It has the connection that came last. */
  | { readonly type: 'taken' }
  /** What changes with the requests; without a request, each second. */
  | { readonly type: 'counted'; readonly metrics: MetricsSnapshot }
  /** All its outages; without a request, when there is news of them. */
  | { readonly type: 'outages'; readonly causes: readonly OutageCause[] }
  /** The answer to the primary's request `id`; of the keys that are refused most, where that is what it is about. */
  | ({ readonly type: 'report'; readonly id: number; readonly top?: TopKeys } & WorkerReport)
  /** Tokens were given back here: the other workers are to `forgive` them too, and this one to be answered then. */
  | { readonly type: 'forgiven'; readonly id: number; readonly debts: readonly ForgivenDebt[] }
  /** It did what the primary's message `id` says. */
  | { readonly type: 'forgave'; readonly id: number }
  /** A client of it wants to know about all workers. */
  | { readonly type: 'ask'; readonly id: number; readonly what: keyof Overview };

export type FromPrimary =
  /** What the sources say. First of all messages, with all of them, and again with what says something else. */
  | { readonly type: 'written'; readonly written: object }
  /** To a port of the door; comes with a socket. */
  | { readonly type: 'connection'; readonly door: DoorName }
  | { readonly type: 'report-request'; readonly id: number; readonly what: keyof Overview }
  | { readonly type: 'forgive'; readonly id: number; readonly debts: readonly ForgivenDebt[] }
  /** To the worker's question `id`; without a value to what it told. */
  | { readonly type: 'answer'; readonly id: number; readonly value?: Overview[keyof Overview] }
  /** No connection will come any more; what was accepted has `graceMs`. */
  | { readonly type: 'stop'; readonly graceMs: number };

/** All workers, seen as one service. */
export interface Overview {
  /** The page that Prometheus scrapes. */
  readonly page: string;
  readonly readiness: Readiness;
  /** Whose requests are refused most. */
  readonly top: TopKeys;
}
