// What the simulation must be given: a limiter's own code, and what the scripts that it sends to Redis mean. The simulation
// imports no limiter, so that another one's can be given, too.

import type { SourceKind } from '../history.ts';
import type { Bounds } from '../scenario.ts';
import type { Scripts } from './redis.ts';
import type { ClientOptions, SimulatedClient } from './redis-client.ts';

/** What one instance is built from. All of it lives in the instance's own process. */
export interface LimiterParts {
  /** A client that is not connected yet. */
  readonly clientOf: (options: ClientOptions) => SimulatedClient;
  /** The instance's own clock, in microseconds. */
  readonly nowUs: () => number;
  readonly bounds: Bounds;
  /** How many instances there are; undefined when they count themselves. */
  readonly instances: number | undefined;
  readonly onMove: (from: string, to: string) => void;
  /** It goes by another number of instances from now on. */
  readonly onCount: (count: number) => void;
}

/** What a client is told of one token of its key. */
export interface Told {
  readonly allowed: boolean;
  readonly source: SourceKind;
  /** Whole tokens that are left. */
  readonly remaining: number;
  readonly retryAfterMs: number;
}

export interface Limiter {
  decide(key: string): Told | Promise<Told>;
  /** Ends in good order: from then on it sends nothing but a farewell. */
  stop(): void;
}

export interface Core {
  readonly scripts: Scripts;
  readonly create: (parts: LimiterParts) => Limiter;
}
