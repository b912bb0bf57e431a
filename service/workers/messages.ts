// What the primary and its workers say to each other. Imports nothing but words.

import type { Readiness } from '../doors/readiness.ts';
import type { MetricsSnapshot } from '../metrics/metrics.ts';
import type { Trouble } from '../redis/troubles.ts';

/** What a worker says of itself. */
export interface Told {
  readonly metrics: MetricsSnapshot;
  readonly readiness: Readiness;
}

export type FromWorker =
  /** It can decide. */
  | ({ readonly type: 'ready' } & Told)
  /** It has the connection that came last. */
  | { readonly type: 'taken' }
  /** What changes with the requests; unasked, each second. */
  | { readonly type: 'counted'; readonly metrics: MetricsSnapshot }
  /** All that it has with Redis; unasked, when there is news of them. */
  | { readonly type: 'troubled'; readonly troubles: readonly Trouble[] }
  /** Because gathering `id` asked. */
  | ({ readonly type: 'told'; readonly id: number } & Told)
  /** A client of it wants to know about all workers. */
  | { readonly type: 'ask'; readonly id: number; readonly what: keyof Overview };

export type FromPrimary =
  /** Comes with a socket. */
  | { readonly type: 'connection' }
  | { readonly type: 'tell'; readonly id: number }
  /** To the worker's question `id`. */
  | { readonly type: 'answer'; readonly id: number; readonly value: Overview[keyof Overview] }
  /** No connection will come any more; what was accepted has `graceMs`. */
  | { readonly type: 'stop'; readonly graceMs: number };

/** All workers, seen as one service. */
export interface Overview {
  /** The page that Prometheus scrapes. */
  readonly page: string;
  readonly readiness: Readiness;
}
