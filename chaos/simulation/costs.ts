// What an outage costs at a limit: how much a key is given beyond what Redis would have given it, how soon the fleet is
// back, and what Redis has to bear then. Measured at a key that nobody asks for before the outage, and everybody during it:
// so each fallback begins full, which is the worst.

import { type AnswerEvent, isAllowed } from '../history.ts';
import type { Core } from './core.ts';
import type { Fault } from './faults.ts';
import type { Observer } from './observer.ts';
import type { Plan } from './plan.ts';
import { World } from './world.ts';

export interface Cost {
  /** Tokens given to the key during the outage. */
  readonly admitted: number;
  /** What the fallbacks may give by the bound. */
  readonly bound: number;
  /** What Redis would have given at the most. */
  readonly byRedis: number;
  /** Until the last instance asks Redis again, in milliseconds. */
  readonly backMs: number;
  /** In the busiest second after the outage. */
  readonly connects: number;
  readonly commands: number;
}

export interface CostOptions {
  readonly bounds: Plan['bounds'];
  readonly instances: number;
  /** Whether instances are told how many they are. */
  readonly told: boolean;
  readonly outageS: number;
  /** Whether each instance is replaced during the outage, one after another. */
  readonly deploy: boolean;
}

const beginMs = 4000;
/** After the outage. */
const endMs = 8000;
/** So many times what the fallbacks can give is asked for: in a deploy they give nearly twice as much. */
const demand = 4;
/** Requests per second of an instance at the least, so that it notices the outage, and that it is over. */
const asked = { during: 1, after: 4 };
/** A world of more requests is not lived through in seconds. */
export const requestsMax = 1_000_000;

/** How many requests it takes to measure. */
export function requestsFor(options: CostOptions): number {
  const { during, after } = ratesOf(options);
  return Math.ceil(during * options.outageS + (after * endMs) / 1000);
}

/** Requests per second over all instances. */
function ratesOf({ bounds, instances, outageS }: CostOptions): { readonly during: number; readonly after: number } {
  const { fallbackCapacity, refillPerSecond } = bounds;
  return {
    during: demand * ((instances * fallbackCapacity) / outageS + refillPerSecond) + asked.during * instances,
    after: demand * refillPerSecond + asked.after * instances,
  };
}

export async function costOf(options: CostOptions, core: Core, signal?: AbortSignal): Promise<Cost> {
  const { bounds, instances, told, outageS, deploy } = options;
  const { during, after } = ratesOf(options);
  const outageMs = outageS * 1000;
  const healedMs = beginMs + outageMs;
  const all = Array.from({ length: instances }, (_, i) => i);
  const replaced = all.map((i): Fault => {
    const atMs = Math.round(beginMs + ((i + 0.5) * outageMs) / instances);
    return { kind: 'stop', atMs, forMs: 50, instances: [i], size: 1 };
  });
  let admitted = 0;
  const busiest = { connects: new Seconds(healedMs), commands: new Seconds(healedMs) };
  const lastLocalMs = new Map<string, number>();
  const observer: Observer = {
    answered(answer: AnswerEvent) {
      const { instance, sentMs, source } = answer;
      if (sentMs < healedMs && isAllowed(answer)) admitted++;
      if (source === 'local') lastLocalMs.set(instance, sentMs);
    },
    accepted: (_instance, atMs) => busiest.connects.count(atMs),
    ran: (atMs) => busiest.commands.count(atMs),
  };
  const durationMs = healedMs + endMs;
  const plan: Plan = {
    seed: 1,
    instances,
    told,
    durationMs,
    rate: after,
    keys: { count: 1, skew: 1 },
    load: [
      { atMs: 0, forMs: beginMs, times: 0 },
      { atMs: beginMs, forMs: outageMs, times: during / after },
    ],
    faults: [{ kind: 'cut', atMs: beginMs, forMs: outageMs, instances: all, size: 1 }, ...(deploy ? replaced : [])],
    bounds,
  };
  await new World(plan, core, [observer]).live(signal);
  return {
    admitted,
    bound: instances * bounds.fallbackCapacity + bounds.refillPerSecond * outageS,
    byRedis: bounds.capacity + bounds.refillPerSecond * outageS,
    backMs: Math.max(0, ...lastLocalMs.values()) - healedMs,
    connects: busiest.connects.most,
    commands: busiest.commands.most,
  };
}

/** How many in the busiest of the seconds that follow each other from an instant on. */
class Seconds {
  most = 0;
  readonly #fromMs: number;
  #second = -1;
  #count = 0;

  constructor(fromMs: number) {
    this.#fromMs = fromMs;
  }

  count(atMs: number): void {
    const second = Math.floor((atMs - this.#fromMs) / 1000);
    if (second < 0) return;
    if (second !== this.#second) [this.#second, this.#count] = [second, 0];
    this.most = Math.max(this.most, ++this.#count);
  }
}
