// How many instances share the limit: each one says every second in Redis that it lives, and counts those that do. While
// Redis is away the last count known holds, so that the fallbacks together refill at the policy's rate.
//
//   rl-instances          sorted set   member: an instance   score: the millisecond, on Redis's clock, at which it last spoke
//   rl:instances:PREFIX   the same of those whose buckets have names of their own: they share no limit with the others
//
// A score ahead of Redis's clock was given by another clock: before it was set back, or by a master that failed. It counts
// as the present, once, so that an instance that is dead goes in the usual time and one that lives stays.

import { randomUUID } from 'node:crypto';
import type { RedisClient } from './script-runner.ts';

const beatEveryMs = 1000;
/** One that has been silent for longer does not count. */
const silentMsMax = 5000;

/** Says that an instance lives, and counts those that do. */
export const beatScript = `
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], nowMs, ARGV[1])
for _, ahead in ipairs(redis.pcall('ZRANGEBYSCORE', KEYS[1], '(' .. nowMs, '+inf')) do
  redis.call('ZADD', KEYS[1], nowMs, ahead)
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', nowMs - ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])`;

/** Says that an instance ends. */
export const farewellScript = "return redis.call('ZREM', KEYS[1], ARGV[1])";

export interface InstancesOptions {
  /** Told the count when it changes. */
  readonly onCount: (count: number) => void;
  /** A clock that never goes back, in microseconds. */
  readonly nowUs: () => number;
  /** Whoever has the same counts as one with it; by default nobody has. */
  readonly id?: string;
  /** What the names of the buckets begin with that they share; nothing by default. */
  readonly prefix?: string;
}

export class Instances {
  readonly #options: InstancesOptions;
  readonly #id: string;
  readonly #key: string;
  #client: RedisClient | undefined;
  #timer: NodeJS.Timeout | undefined;
  #count = 1;
  /** When Redis last answered. */
  #heardAtUs = Number.NEGATIVE_INFINITY;
  /** Since when only smaller counts than the present one have been seen, at the earliest. */
  #fewerSinceUs = 0;

  constructor(options: InstancesOptions) {
    this.#options = options;
    this.#id = options.id ?? randomUUID();
    this.#key = options.prefix ? `rl:instances:${options.prefix}` : 'rl-instances';
  }

  start(client: RedisClient): void {
    this.#client = client;
    const beat = () => {
      // Not one after the other: a reply that was lost with its connection never comes, not even as an error.
      this.#timer = setTimeout(beat, Math.round(beatEveryMs * (0.9 + 0.2 * Math.random())));
      client.eval(beatScript, 1, this.#key, this.#id, String(silentMsMax)).then(
        (seen) => {
          if (Number.isSafeInteger(seen) && (seen as number) >= 1 && this.#client) this.see(seen as number);
        },
        () => {}, // the store's own calls say what ails Redis
      );
    };
    beat();
  }

  /** How many there are; undefined until Redis has told. */
  get count(): number | undefined {
    return this.#heardAtUs === Number.NEGATIVE_INFINITY ? undefined : this.#count;
  }

  /** Stops speaking, and says so, as far as Redis hears it. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#client?.eval(farewellScript, 1, this.#key, this.#id).catch(() => {});
    this.#client = undefined;
  }

  /**
   * A greater count holds at once, a smaller one only when no greater was seen for a while in which Redis answered: after
   * an outage the others take a second to speak again, and have not gone away.
   */
  see(count: number): void {
    const nowUs = this.#options.nowUs();
    const cutOff = nowUs - this.#heardAtUs > silentMsMax * 1000;
    this.#heardAtUs = nowUs;
    if (count >= this.#count || cutOff) this.#fewerSinceUs = nowUs;
    if (count === this.#count || (count < this.#count && nowUs - this.#fewerSinceUs < silentMsMax * 1000)) return;
    this.#count = count;
    this.#fewerSinceUs = nowUs;
    this.#options.onCount(count);
  }
}
