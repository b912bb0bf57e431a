// One instance of the fleet: a process that runs the limiter it is given, and may end, stand still and start again.

import type { Bounds } from '../scenario.ts';
import type { Chance } from './chance.ts';
import type { Core, Limiter } from './core.ts';
import { lossOf } from './loss.ts';
import { Link } from './network.ts';
import type { Observer } from './observer.ts';
import type { SimulatedRedis } from './redis.ts';
import { SimulatedClient } from './redis-client.ts';
import { Process, type VirtualTime } from './virtual-time.ts';

/** NTP slews a clock by 500 ppm at most, so two are apart by no more. */
export const driftRatioMax = 200e-6;
/** A process that is told to end has so long to say farewell. */
const graceUs = 20_000;

export interface MemberOptions {
  readonly name: string;
  readonly time: VirtualTime;
  readonly chance: Chance;
  readonly redis: SimulatedRedis;
  readonly core: Core;
  readonly bounds: Bounds;
  readonly instances: number | undefined;
  readonly observers: readonly Observer[];
}

export class Member {
  readonly name: string;
  readonly link: Link;
  process: Process;
  limiter: Limiter | undefined;
  client: SimulatedClient | undefined;
  /** Requests that it has taken in and not answered. */
  readonly pending = new Map<number, () => void>();
  breaker = 'closed';
  readonly #options: MemberOptions;
  readonly #driftRatio: number;
  #requests = 0;

  constructor(options: MemberOptions) {
    const { name, time, chance } = options;
    this.#options = options;
    this.name = name;
    this.link = new Link(time, chance);
    this.#driftRatio = chance.between(-driftRatioMax, driftRatioMax);
    this.process = new Process(this.name, this.#driftRatio);
    this.process.isAlive = false;
  }

  get isUp(): boolean {
    return this.limiter !== undefined && this.process.isAlive;
  }

  /** A new process, with nothing in its memory. */
  start(): void {
    const { time, core, redis, bounds, instances, observers, name } = this.#options;
    const process = new Process(this.name, this.#driftRatio);
    this.process = process;
    this.breaker = 'closed';
    const nowMs = () => time.nowUs / 1000;
    time.after(0, process, () => {
      this.limiter = core.create({
        clientOf: (options) => {
          const onAccepted = () => {
            for (const observer of observers) observer.accepted?.(name, nowMs());
          };
          this.client = new SimulatedClient({ redis, link: this.link, process, onAccepted }, options);
          return this.client;
        },
        nowUs: () => time.clockOf(process),
        bounds,
        instances,
        onMove: (from, to) => this.#moved(from, to),
        onCount: (count) => {
          for (const observer of observers) observer.counted?.(name, count, nowMs());
        },
      });
    });
  }

  /** It takes in one request for a token. */
  take(key: string, scheduledMs: number): void {
    const { time, observers } = this.#options;
    const { limiter } = this;
    if (!limiter) return;
    const sentMs = time.nowUs / 1000;
    const request = this.#requests++;
    const told = (
      status: number,
      rest: { source: 'shared' | 'local' | null; remaining: number | null; retryAfterS?: number },
    ) => {
      const answer = { type: 'answer', instance: this.name, key, scheduledMs, sentMs, status, ...rest } as const;
      const event = { ...answer, receivedMs: time.nowUs / 1000 };
      for (const observer of observers) observer.answered?.(event);
    };
    const answered = ({ allowed, source, remaining, retryAfterMs }: Awaited<ReturnType<Limiter['decide']>>) => {
      if (allowed) told(200, { source, remaining });
      else told(429, { source, remaining, retryAfterS: Math.ceil(retryAfterMs / 1000) });
    };
    const decision = limiter.decide(key);
    if (!(decision instanceof Promise)) {
      answered(decision);
      return;
    }
    this.pending.set(request, () => told(0, { source: null, remaining: null }));
    decision.then((it) => {
      if (this.pending.delete(request)) answered(it);
    });
  }

  /** SIGKILL: its kernel ends its connection, and its clients hear no more. */
  kill(): void {
    const { time, observers } = this.#options;
    this.process.isAlive = false;
    this.limiter = undefined;
    this.client?.connection?.close();
    if (this.breaker !== 'closed') this.#moved(this.breaker, 'gone');
    for (const unanswered of this.pending.values()) unanswered();
    this.pending.clear();
    const atMs = time.nowUs / 1000;
    for (const observer of observers)
      observer.lost?.(lossOf('instance', { target: this.name, reach: 'one-instance', state: 'lost', atMs }));
  }

  /** SIGTERM, and the end a little later. No new request reaches it from now on. */
  stop(): void {
    const { time } = this.#options;
    const { process, limiter } = this;
    this.limiter = undefined;
    time.after(0, process, () => limiter?.stop());
    time.after(graceUs, new Process('kernel'), () => {
      if (process.isAlive) this.kill();
    });
  }

  #moved(from: string, to: string): void {
    this.breaker = to === 'gone' ? 'closed' : to;
    const move = { type: 'breaker', instance: this.name, atMs: this.#options.time.nowUs / 1000, from, to } as const;
    for (const observer of this.#options.observers) observer.moved?.(move);
  }
}
