// A Redis that is nothing but the executable specification of the script, behind links that do what networks do. It
// lives on the fake clock of a test, so that hours of outages take milliseconds and each run can be repeated.
//
//   store ── thereMs ──▶ script runs ── backMs ──▶ store       'up'
//   store ── thereMs ──▶ script runs ── lost                   'drops replies'
//   store ── lost                                              'drops requests'
//   store ◀─ refused at once                                   'refuses'
//   store ── held until the link changes ──▶ script runs ──▶   'holds'

import { take } from '../../service/core/token-bucket.ts';
import type { RedisClient } from '../../service/redis/script-runner.ts';

export type LinkState =
  | { readonly kind: 'up' | 'drops replies'; readonly thereMs: number; readonly backMs: number }
  | { readonly kind: 'drops requests' | 'refuses' | 'holds' };

/** A take that a script allowed. */
export interface Commit {
  readonly key: string;
  readonly sentUs: number;
  readonly atUs: number;
}

export class SimulatedRedis {
  readonly commits: Commit[] = [];
  /** Scripts that were refused because their deadline had passed. */
  lateScripts = 0;
  /** How far Redis's clock, which is Unix time, is ahead of the test's, in microseconds. */
  clockAheadUs = 1_795_491_041_000_000;
  readonly #nowUs: () => number;
  readonly #fullAtUs = new Map<string, number>();

  constructor(nowUs: () => number) {
    this.#nowUs = nowUs;
  }

  /** Forgets every bucket. */
  forget(): void {
    this.#fullAtUs.clear();
  }

  /** What token-bucket.lua does, by token-bucket.ts. */
  run(keyCount: number, args: readonly string[], sentUs: number): number[] {
    const atUs = this.#nowUs();
    const redisUs = atUs + this.clockAheadUs;
    const keys = args.slice(0, keyCount);
    const [deadlineUs = 0, shapes, ...numbers] = args.slice(keyCount).map(Number);
    if (deadlineUs > 0 && redisUs > deadlineUs) {
      this.lateScripts++;
      return [redisUs];
    }
    const [buckets, costUs = 1, capacityUs = 1] = numbers;
    if (shapes !== 1 || buckets !== 1)
      throw new Error('only takes that are all alike, of one bucket each, are simulated');
    // As if a token were one microsecond.
    const bucket = { capacity: capacityUs, tokenUs: 1, capacityUs };
    const results = keys.map((key) => {
      const { allowed, debtUs } = take(bucket, this.#fullAtUs.get(key) ?? 0, redisUs, costUs);
      this.#fullAtUs.set(key, redisUs + debtUs);
      if (!allowed) return -1 - debtUs;
      if (costUs > 0) this.commits.push({ key, sentUs, atUs });
      return debtUs;
    });
    return [redisUs, ...results];
  }
}

/** One instance's connection. */
export class SimulatedLink implements RedisClient {
  readonly #redis: SimulatedRedis;
  readonly #nowUs: () => number;
  #state: LinkState = { kind: 'up', thereMs: 1, backMs: 1 };
  #held: (() => void)[] = [];

  constructor(redis: SimulatedRedis, nowUs: () => number) {
    this.#redis = redis;
    this.#nowUs = nowUs;
  }

  /** Requests that were held go on their way. */
  set state(state: LinkState) {
    this.#state = state;
    for (const release of this.#held.splice(0)) release();
  }

  evalsha(_sha: string, keyCount: number, ...args: string[]): Promise<unknown> {
    const sentUs = this.#nowUs();
    return this.#carry(() => this.#redis.run(keyCount, args, sentUs));
  }

  eval(_script: string, keyCount: number, ...args: string[]): Promise<unknown> {
    return this.evalsha('', keyCount, ...args);
  }

  #carry<T>(run: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const go = () => {
        const state = this.#state;
        if (state.kind === 'refuses') {
          reject(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }));
        } else if (state.kind === 'holds') {
          this.#held.push(go);
        } else if (state.kind === 'up' || state.kind === 'drops replies') {
          setTimeout(() => {
            const reply = run();
            if (state.kind === 'up') setTimeout(() => resolve(reply), state.backMs);
          }, state.thereMs);
        }
      };
      go();
    });
  }
}
