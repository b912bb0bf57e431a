// A small sound limiter that shares nothing with this project's own, as parts that can be replaced one at a time: a token
// bucket in Redis, a bucket for each key in memory, and a breaker that chooses between the two.

import { Redis } from 'ioredis';

const number = (name: string, standard: number) => Number(process.env[name] ?? standard);
const [host = 'localhost', port = '6379'] = (process.env.REDIS_ADDR ?? '').split(':');

export const settings = {
  capacity: number('RATE_LIMIT', 5),
  windowMs: number('RATE_LIMIT_WINDOW_SEC', 10) * 1000,
  burst: number('RATE_LIMIT_BURST', 5),
  instances: number('INSTANCES', 1),
  deadlineMs: number('REDIS_TIMEOUT_MS', 5),
  failures: number('BREAKER_FAILURES', 3),
  resetMs: number('BREAKER_RESET_MS', 1000),
};
/** Tokens per millisecond. */
export const refill = settings.capacity / settings.windowMs;

export interface Decision {
  readonly allowed: boolean;
  /** Whole tokens. */
  readonly remaining: number;
  /** Until there is a token again; 0 while there is one. */
  readonly waitMs: number;
}

/** `level`: after the take, if it was allowed. */
export function decision(allowed: boolean, level: number, perMs = refill): Decision {
  return { allowed, remaining: Math.floor(level), waitMs: level < 1 ? (1 - level) / perMs : 0 };
}

/** A take at the instant `now`, in milliseconds. ARGV: the capacity, and tokens per millisecond. */
export const takeAtNow = `
  local capacity, perMs = tonumber(ARGV[1]), tonumber(ARGV[2])
  local level, at = unpack(redis.call('HMGET', KEYS[1], 'level', 'at'))
  level = math.min(capacity, (level or capacity) + math.max(0, now - (at or now)) * perMs)
  local allowed = level >= 1 and 1 or 0
  redis.call('HSET', KEYS[1], 'level', string.format('%.6f', level - allowed), 'at', string.format('%.3f', now))
  redis.call('PEXPIRE', KEYS[1], math.ceil(capacity / perMs) + 1000)
  return { allowed, string.format('%.6f', level - allowed) }`;
export const takeScript = `
  local time = redis.call('TIME')
  local now = time[1] * 1000 + time[2] / 1000${takeAtNow}`;

/** In Redis. */
export const nameOf = (key: string): string => `bucket:${key}`;

export class RedisStore {
  readonly redis: Redis = new Redis({
    host,
    port: Number(port),
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    retryStrategy: () => 100,
  });

  constructor() {
    this.redis.on('error', () => {}); // a take that cannot be decided says so itself
  }

  async take(key: string): Promise<Decision> {
    return this.read(await this.redis.eval(takeScript, 1, nameOf(key), settings.capacity, refill));
  }

  protected read(reply: unknown): Decision {
    const [allowed, level] = reply as [number, string];
    return decision(allowed === 1, Number(level));
  }
}

interface Bucket {
  level: number;
  atMs: number;
}

/** In which a key that has not been asked for as long as it takes to fill its bucket is forgotten. */
export class LocalStore {
  protected readonly buckets: Map<string, Bucket> = new Map();
  protected readonly perMs: number = refill / settings.instances;

  constructor() {
    setInterval(() => this.#sweep(), 1000).unref();
  }

  take(key: string): Decision {
    const nowMs = performance.now();
    const bucket = this.buckets.get(key) ?? { level: settings.burst, atMs: nowMs };
    this.buckets.set(key, bucket);
    bucket.level = Math.min(settings.burst, bucket.level + (nowMs - bucket.atMs) * this.perMs);
    bucket.atMs = nowMs;
    const allowed = bucket.level >= 1;
    if (allowed) bucket.level -= 1;
    return decision(allowed, bucket.level, this.perMs);
  }

  #sweep(): void {
    const fullMs = performance.now() - settings.burst / this.perMs;
    for (const [key, { atMs }] of this.buckets) if (atMs < fullMs) this.buckets.delete(key);
  }
}

export type State = 'closed' | 'open' | 'half-open';

export class Breaker {
  state: State = 'closed';
  readonly moves: { readonly atMs: number; readonly from: State; readonly to: State }[] = [];
  protected failures = 0;
  protected readonly failuresMax: number = settings.failures;
  #openedMs = 0;

  /** The state in which the call is made; undefined when it may not be made. The first one after the wait is a probe. */
  enter(): State | undefined {
    if (this.state === 'closed') return 'closed';
    if (this.state !== 'open' || performance.now() < this.#openedMs + settings.resetMs) return undefined;
    this.move('half-open');
    return 'half-open';
  }

  /** `begun`: the state in which the call was made. One of another state says nothing of Redis now. */
  succeeded(begun: State): void {
    if (begun !== this.state) return;
    this.failures = 0;
    if (begun === 'half-open') this.move('closed');
  }

  failed(begun: State): void {
    if (begun !== this.state) return;
    this.failures += 1;
    if (begun === 'half-open' || this.failures >= this.failuresMax) this.move('open');
  }

  protected move(to: State): void {
    this.moves.push({ atMs: performance.timeOrigin + performance.now(), from: this.state, to });
    this.state = to;
    this.failures = 0;
    if (to === 'open') this.#openedMs = performance.now();
  }
}

export interface Answer extends Decision {
  readonly source: 'redis' | 'fallback';
}

export class Limiter {
  readonly store: RedisStore;
  readonly fallback: LocalStore;
  readonly breaker: Breaker;
  /** Calls to Redis that gave no answer in time. */
  storeErrors = 0;

  constructor({ store = new RedisStore(), fallback = new LocalStore(), breaker = new Breaker() } = {}) {
    this.store = store;
    this.fallback = fallback;
    this.breaker = breaker;
  }

  async take(key: string): Promise<Answer> {
    const begun = this.breaker.enter();
    if (begun !== undefined) {
      try {
        const decided = await this.inTime(this.store.take(key));
        this.breaker.succeeded(begun);
        return { ...decided, source: 'redis' };
      } catch {
        this.storeErrors += 1;
        this.breaker.failed(begun);
      }
    }
    return this.withoutRedis(key);
  }

  withoutRedis(key: string): Answer {
    return { ...this.fallback.take(key), source: 'fallback' };
  }

  protected inTime<T>(call: Promise<T>): Promise<T> {
    return within(settings.deadlineMs, call);
  }
}

/** Rejects when it takes longer. An answer that waits in the socket while the process was held up is in time. */
export function within<T>(ms: number, call: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => setImmediate(() => reject(new Error('late'))), ms);
    call.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
