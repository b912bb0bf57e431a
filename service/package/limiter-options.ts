// What `createLimiter` is told. Types alone: options.ts reads them.

import type { ConnectionOptions } from 'node:tls';
import type { Registry } from 'prom-client';

export interface LimiterOptions {
  /**
   * Where Redis is. It need not be there: not at the start, and not later. Without this option each process decides by
   * itself, in memory. When it is there and undefined, a warning of the process says so.
   */
  redis?: RedisOption | undefined;
  /**
   * The limits of the one policy `default`: all of them must allow a take. Instead of `policies`.
   *
   * @example
   * limits: ['10 per second', '1000 per hour']
   */
  limits?: LimitOption | readonly LimitOption[] | undefined;
  /**
   * Policies by name, for limits of several kinds. A name is up to 60 of `a-z`, `0-9`, `-` and `_`. `take` means the one
   * called `default`, or the only one, unless it names another.
   *
   * @example
   * policies: { api: '100 per minute', login: { limits: '5 per minute', onStoreFailure: 'closed' } }
   */
  policies?: Readonly<Record<string, LimitOption | readonly LimitOption[] | PolicyOption>> | undefined;
  /**
   * What the names of buckets in Redis begin with, behind `rl:`. Applications that share a Redis, and not their limits, have
   * one each; their processes count themselves by it.
   */
  prefix?: string | undefined;
  /**
   * How many processes share the limits: while Redis is away, each has its part of them. By default they count themselves
   * in Redis.
   */
  instances?: number | undefined;
  /** Deadline of a call to Redis, in milliseconds: 5 by default. A take never waits longer for Redis. */
  redisTimeoutMs?: number | undefined;
  /** Calls to Redis that must fail in a row until it is not asked for a while: 3 by default. */
  breakerFailures?: number | undefined;
  /** After so many milliseconds it is tried whether Redis is back: 1000 by default. */
  breakerResetMs?: number | undefined;
  /** Buckets held in memory while Redis is away: 100000 by default. */
  fallbackKeysMax?: number | undefined;
  /** Secret of at least 16 characters, by which keys are hashed in Redis; the same in all processes. */
  hashKeys?: string | undefined;
  /** Told what happens beside the takes. Nothing is logged anywhere else. */
  onEvent?: ((event: LimiterEvent) => void) | undefined;
  /**
   * The application's registry of prom-client, which gets this limiter's metrics, until it is closed. Limiters that have one
   * registry are counted together.
   */
  metrics?: Registry | undefined;
}

/**
 * `100 per minute`, with `second`, `minute`, `hour` or `day`; or the capacity of a key's bucket in tokens, and either the
 * time in which it refills or the tokens that come back each second.
 */
export type LimitOption =
  | string
  | (LimitSize & {
      /** Whole seconds. */
      readonly windowSeconds: number;
    })
  | (LimitSize & { readonly refillPerSecond: number });

interface LimitSize {
  /** Tokens that a key may spend at once. */
  readonly capacity: number;
  /** Capacity of a key's bucket in the memory of one process, while Redis is away; the same without it, or its part of it with `instances`. */
  readonly fallbackCapacity?: number;
}

export interface PolicyOption {
  /** All of them must allow a take. */
  readonly limits: LimitOption | readonly LimitOption[];
  /**
   * What happens to takes while Redis is away: decided in memory (`fallback`, the default), allowed (`open`) or refused
   * (`closed`). With `forSeconds`, for so long of an outage, and in memory after it.
   */
  readonly onStoreFailure?:
    | 'fallback'
    | 'open'
    | 'closed'
    | { readonly open: { readonly forSeconds: number } }
    | { readonly closed: { readonly forSeconds: number } };
}

/**
 * A URL, a text or a `URL`, as `redis://user:password@host:6379/0`, `rediss://…` for TLS or `redis+unix:///path`; what ioredis calls it; an
 * ioredis client, whose address and credentials are taken, on a connection of the limiter's own; or whatever sends a
 * command by a connection that the application has.
 */
export type RedisOption = string | URL | RedisServer | RedisSentinels | RedisCluster | IoredisClient | CommandSender;

interface RedisAccess {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** `true`, or the options of Node's `tls.connect`. */
  readonly tls?: boolean | ConnectionOptions | undefined;
}

interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

/** The one Redis, by address or by the path of a Unix socket. */
export interface RedisServer extends RedisAccess {
  /** `localhost` without it. */
  readonly host?: string | undefined;
  /** 6379 without it. */
  readonly port?: number | undefined;
  /** Of a Unix socket. */
  readonly path?: string | undefined;
  /** 0 without it. */
  readonly db?: number | undefined;
}

/** The master that Sentinels name. */
export interface RedisSentinels extends RedisAccess {
  readonly sentinels: readonly RedisAddress[];
  /** What the Sentinels call the master. */
  readonly name: string;
  readonly sentinelUsername?: string | undefined;
  readonly sentinelPassword?: string | undefined;
  /** By an address that the Sentinels announce, as `host:port`, the one that leads there from here. */
  readonly natMap?: Readonly<Record<string, RedisAddress>> | undefined;
  readonly db?: number | undefined;
}

export interface RedisCluster extends RedisAccess {
  /** Some of its nodes. */
  readonly nodes: readonly RedisAddress[];
  /** By an address that the nodes announce, as `host:port`, the one that leads there from here. */
  readonly natMap?: Readonly<Record<string, RedisAddress>> | undefined;
}

/** A `Redis` of ioredis. */
export interface IoredisClient {
  readonly status: string;
  readonly options: object;
  duplicate(): unknown;
}

/** Sends one command to one Redis, each of its words by itself, and resolves to the reply. */
export interface CommandSender {
  readonly sendCommand: (...words: string[]) => Promise<unknown>;
}

/** What happens beside the takes. `text` says it in a sentence, for a log. */
export type LimiterEvent = { readonly text: string } & (
  | {
      /** Redis does not decide, for this reason; once for each reason of an outage. */
      readonly type: 'outage';
      /** Which Redis. */
      readonly redis: string;
      readonly reason: string;
    }
  | { readonly type: 'recovery'; readonly redis: string; readonly lastedMs: number }
  | {
      readonly type: 'breaker';
      readonly redis: string;
      readonly from: 'closed' | 'open' | 'half-open';
      readonly to: 'closed' | 'open' | 'half-open';
    }
  | { readonly type: 'instances'; readonly count: number }
);
