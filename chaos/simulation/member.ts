// One instance of the fleet: a process that runs the limiter it is given, and may end, stand still and start again.

import type { AnswerEvent } from '../history.ts';
import type { Bounds } from '../scenario.ts';
import type { Chance } from './chance.ts';
import type { Core, Limiter, Told } from './core.ts';
import { lossOf } from './loss.ts';
import { kernel, Link } from './network.ts';
import type { Observer } from './observer.ts';
import type { SimulatedRedis } from './redis.ts';
import { SimulatedClient } from './redis-client.ts';
import { Process, type VirtualTime } from './virtual-time.ts';

/** NTP slews a clock by 500 ppm at most, so two are apart by no more. */
export const driftRatioMax = 200e-6;
/** A process that is told to end has so long to say farewell. */
const graceUs = 20_000;

type Answer = { -readonly [name in keyof AnswerEvent]: AnswerEvent[name] };

interface Request {
  readonly key: string;
  readonly scheduledMs: number;
  readonly sentMs: number;
}

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
  readonly #pending = new Set<Request>();
  breaker = 'closed';
  /** What wants it to run now: the fleet itself, of which it may be no part from the beginning, and each fault that scales out. */
  wanted = 0;
  readonly #options: MemberOptions;
  readonly #driftRatio: number;

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
    const { limiter } = this;
    if (!limiter) return;
    const request = { key, scheduledMs, sentMs: this.#options.time.nowUs / 1000 };
    const decision = limiter.decide(key);
    if (!(decision instanceof Promise)) {
      this.#answer(request, decision);
      return;
    }
    this.#pending.add(request);
    decision.then((told) => {
      if (this.#pending.delete(request)) this.#answer(request, told);
    });
  }

  /** SIGKILL: its kernel ends its connection, and its clients hear no more. */
  kill(): void {
    const { time, observers } = this.#options;
    this.process.isAlive = false;
    this.limiter = undefined;
    this.client?.connection?.close();
    if (this.breaker !== 'closed') this.#moved(this.breaker, 'gone');
    for (const request of this.#pending) this.#answer(request, undefined);
    this.#pending.clear();
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
    time.after(graceUs, kernel, () => {
      if (process.isAlive) this.kill();
    });
  }

  /** `told`: undefined when its client hears nothing. */
  #answer({ key, scheduledMs, sentMs }: Request, told: Told | undefined): void {
    const { time, observers } = this.#options;
    const answer: Answer = {
      type: 'answer',
      instance: this.name,
      key,
      scheduledMs,
      sentMs,
      receivedMs: time.nowUs / 1000,
      status: told === undefined ? 0 : told.allowed ? 200 : 429,
      source: told?.source ?? null,
      remaining: told?.remaining ?? null,
    };
    if (told?.allowed === false) answer.retryAfterS = Math.ceil(told.retryAfterMs / 1000);
    for (const observer of observers) observer.answered?.(answer);
  }

  #moved(from: string, to: string): void {
    this.breaker = to === 'gone' ? 'closed' : to;
    const move = { type: 'breaker', instance: this.name, atMs: this.#options.time.nowUs / 1000, from, to } as const;
    for (const observer of this.#options.observers) observer.moved?.(move);
  }
}
