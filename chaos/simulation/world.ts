// A whole world: one Redis, a fleet of instances each on its own link, their clients, and what goes wrong. It lives through
// its plan and tells its observers.
//
//   clients ─▶ member (the limiter's code) ─▶ client ─▶ connection ─▶ lanes ─▶ Redis
//
// Everything happens in virtual time and by one seed, so a world can be lived through again.

import { arrivalsOf } from '../load/load.ts';
import { Chance } from './chance.ts';
import type { Core } from './core.ts';
import { effectOf, joiningLater } from './faults.ts';
import { driftRatioMax, Member } from './member.ts';
import type { Observer } from './observer.ts';
import type { Plan } from './plan.ts';
import { SimulatedRedis } from './redis.ts';
import { Process, VirtualTime } from './virtual-time.ts';

/** Instances start within so long of each other. */
const startUs = 200_000;
/** Clients are looked up for so long ahead: they are no part of any process. */
const aheadMs = 10;

export class World {
  readonly plan: Plan;
  readonly time: VirtualTime;
  readonly redis: SimulatedRedis;
  readonly members: readonly Member[];
  readonly observers: readonly Observer[];
  readonly #chance: Chance;
  /** Of nobody: never paused, never ended. */
  readonly #process = new Process('world', 0, true);

  constructor(plan: Plan, core: Core, observers: readonly Observer[]) {
    this.plan = plan;
    this.observers = observers;
    this.#chance = new Chance(plan.seed);
    const ofCode = new Chance(plan.seed + 1);
    this.time = new VirtualTime(ofCode.unit);
    const { time } = this;
    const watching = observers.filter(({ ran }) => ran); // few do, and commands are many
    this.redis = new SimulatedRedis(time, core.scripts, {
      driftRatio: this.#chance.between(-driftRatioMax, driftRatioMax),
      taken: (key, sentUs, { process }) => {
        const token = { key, instance: process.name, atMs: this.nowUs() / 1000, sentMs: sentUs / 1000 };
        for (const observer of observers) observer.taken?.(token);
      },
      ran: () => {
        for (const observer of watching) observer.ran?.(this.nowUs() / 1000);
      },
    });
    const { redis } = this;
    this.members = Array.from({ length: plan.instances }, (_, i) => {
      const { bounds } = plan;
      const instances = plan.told ? plan.instances : undefined;
      return new Member({ name: nameOf(i), time, chance: this.#chance, redis, core, bounds, instances, observers });
    });
    const joining = joiningLater(plan.faults);
    for (const [i, member] of this.members.entries()) {
      const inUs = this.#chance.between(0, startUs);
      if (joining.has(i)) continue;
      member.wanted = 1;
      time.after(inUs, this.#process, () => member.start());
    }
  }

  readonly nowUs = (): number => this.time.nowUs;

  /** Lives through the plan. Rejects with an error that the limiter throws, or with the reason of `signal`. */
  async live(signal?: AbortSignal): Promise<void> {
    for (const fault of this.plan.faults) {
      const { begin, end } = effectOf(fault.kind);
      this.time.after(fault.atMs * 1000, this.#process, () => begin(this, fault));
      if (end) this.time.after((fault.atMs + fault.forMs) * 1000, this.#process, () => end(this, fault));
    }
    this.#sendClients();
    await this.time.run(this.plan.durationMs * 1000, signal);
  }

  #sendClients(): void {
    const { seed, rate, durationMs, keys, load } = this.plan;
    const arrivals = arrivalsOf({ seed, rate, durationMs, keys, load, targets: this.members });
    let next = arrivals.next();
    const look = () => {
      const untilMs = this.nowUs() / 1000 + aheadMs;
      for (; !next.done && next.value.atMs < untilMs; next = arrivals.next()) {
        const { atMs, key, target } = next.value;
        const member = this.#upFrom(target);
        if (member) this.time.after(atMs * 1000 - this.nowUs(), member.process, () => member.take(key, atMs));
      }
      if (!next.done) this.time.after(aheadMs * 1000, this.#process, look);
    };
    look();
  }

  /** That member, or whichever after it can be reached. */
  #upFrom(target: number): Member | undefined {
    const { members } = this;
    for (let i = 0; i < members.length; i++) {
      const member = members[(target + i) % members.length];
      if (member?.isUp) return member;
    }
    return undefined;
  }
}

export function nameOf(i: number): string {
  return `limiter-${i + 1}`;
}
