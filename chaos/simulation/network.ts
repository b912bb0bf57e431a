// The way between one instance and Redis, as TCP has it: what is sent on a connection arrives in order or not at all. What
// the network drops is sent again, later each time, so a command may arrive long after somebody waited for it.
//
//   instance ── lane there ──▶ Redis
//   instance ◀── lane back ─── Redis

import type { Chance } from './chance.ts';
import { Process, type VirtualTime } from './virtual-time.ts';

/** RFC 6298's least wait before a segment is sent again is 1 s; Linux has 200 ms. It doubles each time. */
const resendUs = { min: 200_000, max: 3_200_000 };
/** One way, within a data centre. */
const latencyUs = { min: 60, max: 250 };

/** What the kernels of both sides do, be their processes paused or not. */
export const kernel = new Process('kernel', 0, true);

/** What the network does to one direction now. */
export interface Direction {
  /** Faults that drop every packet now. */
  cuts: number;
  extraLatencyUs: number;
  /** Of packets. */
  lossRatio: number;
}

/** One instance's way to Redis. */
export class Link {
  readonly there: Direction = { cuts: 0, extraLatencyUs: 0, lossRatio: 0 };
  readonly back: Direction = { cuts: 0, extraLatencyUs: 0, lossRatio: 0 };
  readonly time: VirtualTime;
  readonly chance: Chance;

  constructor(time: VirtualTime, chance: Chance) {
    this.time = time;
    this.chance = chance;
  }

  /** How long a packet takes that is sent now; undefined when it is lost. */
  latencyUs({ cuts, extraLatencyUs, lossRatio }: Direction): number | undefined {
    if (cuts > 0 || (lossRatio > 0 && this.chance.unit() < lossRatio)) return undefined;
    return extraLatencyUs + this.chance.between(latencyUs.min, latencyUs.max);
  }

  /** One packet, once. */
  send(direction: Direction, to: Process, arrive: () => void): void {
    const inUs = this.latencyUs(direction);
    if (inUs !== undefined) this.time.after(inUs, to, arrive);
  }
}

/** One direction of a connection. */
export class Lane {
  readonly #link: Link;
  readonly #direction: Direction;
  readonly #to: Process;
  /** Sent and lost, and whatever came after it. */
  #unsent: (() => void)[] = [];
  #lastArrivalUs = 0;
  #isClosed = false;

  constructor(link: Link, direction: Direction, to: Process) {
    this.#link = link;
    this.#direction = direction;
    this.#to = to;
  }

  send(arrive: () => void): void {
    if (this.#unsent.length === 0 && this.#transmit(arrive)) return;
    this.#unsent.push(arrive);
    if (this.#unsent.length === 1) this.#resendIn(resendUs.min);
  }

  /** Nothing that was not sent yet is sent any more. */
  close(): void {
    this.#isClosed = true;
    this.#unsent = [];
  }

  #transmit(arrive: () => void): boolean {
    const { time } = this.#link;
    const inUs = this.#link.latencyUs(this.#direction);
    if (inUs === undefined) return false;
    this.#lastArrivalUs = Math.max(this.#lastArrivalUs, time.nowUs + inUs);
    time.after(this.#lastArrivalUs - time.nowUs, this.#to, arrive);
    return true;
  }

  #resendIn(inUs: number): void {
    this.#link.time.after(inUs, kernel, () => {
      if (this.#isClosed) return;
      while (this.#unsent[0] && this.#transmit(this.#unsent[0])) this.#unsent.shift();
      if (this.#unsent.length > 0) this.#resendIn(Math.min(2 * inUs, resendUs.max));
    });
  }
}
