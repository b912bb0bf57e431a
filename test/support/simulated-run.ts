// A run of a sound limiter, simulated event by event: two instances and a control, each with a breaker, a fallback and a
// link to Redis. A seed gives the same record each time. It knows nothing of the service's code, nor of the judge's.

import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { AnswerEvent, BreakerEvent, SourceKind, StoreErrorsEvent } from '../../chaos/history.ts';
import type { Bounds } from '../../chaos/scenario.ts';
import { usualBounds, usualInstances } from './history-builder.ts';
import { answer, move, storeErrors } from './history-events.ts';

/** What a link does to a call that begins now. */
export type LinkNow = { readonly kind: 'hangs' | 'refuses' } | { readonly kind: 'up'; readonly rttMs: number };

export interface RunShape {
  /** Requests per second over both instances, for each second. */
  readonly rateAt: (atMs: number) => number;
  readonly endMs: number;
  readonly linkAt: (instance: string, shard: string, atMs: number) => LinkNow;
  /** The Redis that holds the key at that instant; its breaker is named so. */
  readonly shardOf?: (key: string, atMs: number) => string;
  /** When Redis forgets everything. */
  readonly losesStateAtMs?: number;
  /** What the limiter does otherwise than its bounds say. */
  readonly limits?: Partial<Bounds>;
  /** The process stands still from `atMs` on. */
  readonly stalls?: readonly { readonly instance: string; readonly atMs: number; readonly ms: number }[];
}

export interface Simulated {
  readonly answers: AnswerEvent[];
  readonly breaker: BreakerEvent[];
  readonly storeErrors: StoreErrorsEvent[];
}

const [keyCount, onlyShard, scrapeEveryMs] = [150, 'redis', 1000];

interface Bucket {
  level: number;
  atMs: number;
}

interface Breaker {
  state: 'closed' | 'open' | 'half-open';
  failures: number;
}

interface Request {
  readonly instance: string;
  readonly key: string;
  readonly scheduledMs: number;
  readonly sentMs: number;
}

/** Of a sum of instants. */
const roundingMs = 1e-6;
/** Rounded as the lab's instants are. */
const us = (ms: number) => Math.round(ms * 1000) / 1000;

export function simulate(shape: RunShape, seed: number): Simulated {
  return new Simulation(shape, seed).run();
}

class Simulation {
  readonly #shape: RunShape;
  readonly #bounds: Bounds;
  readonly #random: () => number;
  readonly #answers: AnswerEvent[] = [];
  readonly #moves: BreakerEvent[] = [];
  readonly #scrapes: StoreErrorsEvent[] = [];
  readonly #breakers = new Map<string, Breaker>();
  readonly #buckets = new Map<string, Bucket>();
  readonly #errors = new Map<string, number>();
  /** What is still to happen, in order of time. */
  readonly #ahead: { readonly atMs: number; readonly instance: string; readonly happen: (nowMs: number) => void }[] =
    [];
  #stateLost = false;

  constructor(shape: RunShape, seed: number) {
    const generator = xoroshiro128plus(seed + 1);
    this.#shape = shape;
    this.#bounds = { ...usualBounds, ...shape.limits };
    this.#random = () => uniformFloat64(generator);
  }

  run(): Simulated {
    for (const request of this.#requests().reverse())
      this.#at(request.sentMs + 0.2, request.instance, (nowMs) => this.#arrive(request, nowMs));
    for (const { name } of usualInstances)
      for (let atMs = scrapeEveryMs / 2; atMs < this.#shape.endMs; atMs += scrapeEveryMs)
        this.#at(atMs, name, () => this.#scrape(name, atMs));
    for (let next = this.#ahead.shift(); next; next = this.#ahead.shift()) this.#pass(next);
    return { answers: this.#answers, breaker: this.#moves, storeErrors: this.#scrapes };
  }

  #requests(): Request[] {
    const requests: Request[] = [];
    let atMs = 0;
    for (let i = 0; atMs < this.#shape.endMs; i++) {
      const key = `k${Math.floor(keyCount * this.#random() ** 3)}`;
      const instances = i % 2 === 0 ? ['limiter-1', 'limiter-control'] : ['limiter-2'];
      for (const instance of instances) {
        const sentMs = us(atMs + this.#random() * 0.2);
        requests.push({ instance, key, scheduledMs: us(atMs), sentMs });
      }
      atMs += ((0.5 + this.#random()) * 1000) / this.#shape.rateAt(atMs);
    }
    return requests;
  }

  #at(atMs: number, instance: string, happen: (nowMs: number) => void): void {
    let [from, to] = [0, this.#ahead.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.#ahead[middle]?.atMs ?? 0) <= atMs) from = middle + 1;
      else to = middle;
    }
    this.#ahead.splice(from, 0, { atMs, instance, happen });
  }

  /** What falls into a stall of its process happens at the end of it. */
  #pass({ atMs, instance, happen }: { atMs: number; instance: string; happen: (nowMs: number) => void }): void {
    const stall = this.#shape.stalls?.find(
      (it) => it.instance === instance && atMs >= it.atMs && atMs < it.atMs + it.ms,
    );
    if (stall) this.#at(stall.atMs + stall.ms, instance, happen);
    else happen(atMs);
  }

  #arrive(request: Request, nowMs: number): void {
    const { instance, key } = request;
    const shard = this.#shape.shardOf?.(key, nowMs) ?? onlyShard;
    if (this.#breakerOf(instance, shard).state !== 'closed') this.#answerByFallback(request, nowMs);
    else this.#call(request, shard, nowMs);
  }

  #call(request: Request, shard: string, nowMs: number): void {
    const { instance } = request;
    const { redisTimeoutMs } = this.#bounds;
    const link = this.#shape.linkAt(instance, shard, nowMs);
    const failed = (atMs: number) => {
      this.#fail(instance, shard, atMs);
      this.#answerByFallback(request, atMs);
    };
    if (link.kind === 'refuses') {
      failed(nowMs);
      return;
    }
    const rttMs = link.kind === 'up' ? link.rttMs * (0.8 + 0.4 * this.#random()) : Number.POSITIVE_INFINITY;
    let allowed = false;
    if (rttMs / 2 < redisTimeoutMs)
      this.#at(nowMs + rttMs / 2, onlyShard, (atMs) => {
        allowed = this.#take(request, 'shared', atMs);
      });
    this.#at(nowMs + Math.min(rttMs, redisTimeoutMs), instance, (atMs) => {
      if (atMs - nowMs >= redisTimeoutMs - roundingMs) {
        failed(atMs);
        return;
      }
      this.#breakerOf(instance, shard).failures = 0;
      this.#answer(request, 'shared', allowed, atMs);
    });
  }

  #fail(instance: string, shard: string, atMs: number): void {
    const breaker = this.#breakerOf(instance, shard);
    this.#errors.set(instance, (this.#errors.get(instance) ?? 0) + 1);
    if (breaker.state === 'closed' && ++breaker.failures >= this.#bounds.breakerFailures)
      this.#open(instance, shard, atMs);
  }

  #open(instance: string, shard: string, nowMs: number): void {
    const { breakerResetMs, resetJitterRatio, redisTimeoutMs } = this.#bounds;
    this.#move(instance, shard, 'open', nowMs);
    const againMs = nowMs + breakerResetMs * (1 + resetJitterRatio * (2 * this.#random() - 1));
    if (againMs > this.#shape.endMs) return;
    this.#at(againMs, instance, (askedMs) => {
      this.#move(instance, shard, 'half-open', askedMs);
      const link = this.#shape.linkAt(instance, shard, askedMs);
      const isBack = link.kind === 'up' && link.rttMs < redisTimeoutMs;
      const waitMs = link.kind === 'refuses' ? 0.1 : isBack ? link.rttMs : redisTimeoutMs;
      this.#at(askedMs + waitMs, instance, (atMs) => {
        if (isBack && atMs - askedMs < redisTimeoutMs) {
          this.#move(instance, shard, 'closed', atMs);
          return;
        }
        this.#fail(instance, shard, atMs);
        this.#open(instance, shard, atMs);
      });
    });
  }

  #move(instance: string, shard: string, to: Breaker['state'], atMs: number): void {
    const breaker = this.#breakerOf(instance, shard);
    this.#moves.push(move(instance, us(atMs), breaker.state, to, this.#shape.shardOf && shard));
    breaker.state = to;
    breaker.failures = 0;
  }

  #answerByFallback(request: Request, atMs: number): void {
    this.#answer(request, 'local', this.#take(request, 'local', atMs), atMs);
  }

  #answer({ instance, key, scheduledMs, sentMs }: Request, source: SourceKind, allowed: boolean, atMs: number) {
    const receivedMs = us(atMs + 0.2 + 0.4 * this.#random());
    const remaining = Math.floor(this.#bucketOf(instance, key, source).level + 1e-9);
    const status = allowed ? 200 : 429;
    this.#answers.push(answer(scheduledMs, { instance, key, sentMs, receivedMs, status, source, remaining }));
  }

  #take({ instance, key }: Request, source: SourceKind, atMs: number): boolean {
    const { losesStateAtMs } = this.#shape;
    if (losesStateAtMs !== undefined && !this.#stateLost && atMs >= losesStateAtMs) {
      this.#stateLost = true;
      for (const name of this.#buckets.keys()) if (name.startsWith('the store ')) this.#buckets.delete(name);
    }
    const isRedis = source === 'shared';
    const capacity = isRedis ? this.#bounds.capacity : this.#bounds.fallbackCapacity;
    const refillPerSecond = isRedis ? this.#bounds.refillPerSecond : this.#bounds.fallbackRefillPerSecond;
    const bucket = this.#bucketOf(instance, key, source);
    bucket.level = Math.min(capacity, bucket.level + ((atMs - bucket.atMs) / 1000) * refillPerSecond);
    bucket.atMs = atMs;
    if (bucket.level < 1) return false;
    bucket.level -= 1;
    return true;
  }

  #bucketOf(instance: string, key: string, source: SourceKind): Bucket {
    const isControl = instance === 'limiter-control';
    const name = source === 'shared' && !isControl ? `the store ${key}` : `${source} of ${instance} ${key}`;
    const level = source === 'shared' ? this.#bounds.capacity : this.#bounds.fallbackCapacity;
    const bucket = this.#buckets.get(name) ?? { level, atMs: 0 };
    this.#buckets.set(name, bucket);
    return bucket;
  }

  #breakerOf(instance: string, shard: string): Breaker {
    const name = `${instance} ${shard}`;
    const breaker = this.#breakers.get(name) ?? { state: 'closed', failures: 0 };
    this.#breakers.set(name, breaker);
    return breaker;
  }

  #scrape(instance: string, atMs: number): void {
    this.#scrapes.push(storeErrors(instance, us(atMs), { timeout: this.#errors.get(instance) ?? 0 }));
  }
}
