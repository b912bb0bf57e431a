// Two whole limiters, from the take to the wire, over one simulated Redis; and the history that their clients could tell,
// as the lab's judge reads it.

import { expect } from 'vitest';
import type { AnswerEvent, BreakerEvent, FaultEvent, History } from '../../chaos/history.ts';
import { sourceKindOf } from '../../chaos/targets/mechanisms.ts';
import { Limiter } from '../../service/core/limiter.ts';
import { LocalStore } from '../../service/core/local-store.ts';
import { createShard } from '../../service/core/shard.ts';
import { RedisStore } from '../../service/redis/store.ts';
import { nowUs, pass } from './fake-time.ts';
import { historyWith, usualBounds } from './history-builder.ts';
import { answer, fault, move } from './history-events.ts';
import { SimulatedLink, SimulatedRedis } from './simulated-redis.ts';
import { limitOf, takesOf } from './takes.ts';

export const timeoutMs = 5;
export const instanceCount = 2;

export interface Member {
  readonly name: string;
  readonly link: SimulatedLink;
  /** Asks for one token; the answer is noted when it comes. */
  take(key: string): void;
  /** The connection breaks. */
  disconnect(): void;
  /** There is a connection again. */
  connect(): Promise<void>;
  close(): void;
}

export class SimulatedFleet implements Disposable {
  readonly redis = new SimulatedRedis(nowUs);
  readonly members: readonly Member[];
  readonly answers: AnswerEvent[] = [];
  readonly #breaker: BreakerEvent[] = [];
  readonly #faults: FaultEvent[] = [];
  #unanswered = 0;

  /** Both connected. */
  static async start(keysMax: number): Promise<SimulatedFleet> {
    const fleet = new SimulatedFleet(keysMax);
    for (const member of fleet.members) member.connect();
    await pass(timeoutMs);
    return fleet;
  }

  private constructor(keysMax: number) {
    this.members = Array.from({ length: instanceCount }, (_, i) => this.#createMember(`limiter-${i + 1}`, keysMax));
  }

  /** Redis loses its data; its connections stay. */
  loseState(): void {
    this.redis.forget();
    const atMs = nowUs() / 1000;
    this.#faults.push(fault('inject', atMs, { fault: 'loss', state: 'lost', endMs: atMs }));
  }

  /** What the clients saw until now. Every take must have been answered. */
  history(): History {
    expect(this.#unanswered).toBe(0);
    return historyWith(this.answers, { breaker: this.#breaker, faults: this.#faults });
  }

  [Symbol.dispose](): void {
    for (const member of this.members) member.close();
  }

  #createMember(name: string, keysMax: number): Member {
    const { capacity, refillPerSecond, fallbackCapacity, breakerFailures, breakerResetMs } = usualBounds;
    const take = takesOf(limitOf(capacity, refillPerSecond, fallbackCapacity));
    const link = new SimulatedLink(this.redis, nowUs);
    const store = new RedisStore({ client: link, timeoutMs, nowUs });
    const shard = createShard('simulated', store, {
      breakerFailures,
      breakerResetMs,
      keysMax,
      onAnswer: () => {},
      onError: () => {},
      onTransition: (_shard, from, to) => this.#breaker.push(move(name, nowUs() / 1000, from, to)),
    });
    const fallback = new LocalStore({ keysMax, nowUs });
    fallback.instances = instanceCount;
    const topology = { shards: [shard], shardOf: () => shard, close: () => {} };
    const limiter = new Limiter({ topology, fallback, nowUs, onDecision: () => {} });
    return {
      name,
      link,
      take: (key) => {
        const sentMs = nowUs() / 1000;
        this.#unanswered++;
        Promise.resolve(limiter.decide(take(key))).then(({ allowed, mechanism, remaining = null }) => {
          this.#unanswered--;
          const receivedMs = nowUs() / 1000;
          const status = allowed ? 200 : 429;
          this.answers.push(
            answer(sentMs, { instance: name, key, receivedMs, status, source: sourceKindOf(mechanism), remaining }),
          );
        });
      },
      disconnect: () => store.lost(new Error('Connection is closed.')),
      connect: async () => {
        await store.connected();
        shard.last.clear();
      },
      close: () => shard.breaker.close(),
    };
  }
}
