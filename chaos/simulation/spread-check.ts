// Instances do not come all at once: neither do they connect in one moment to a Redis that is back, nor probe in step.

import type { CheckResult } from '../checks/check.ts';
import type { BreakerEvent } from '../history.ts';
import type { FaultKind } from './faults.ts';
import { type FleetCheck, seconds, Tally } from './fleet-check.ts';
import type { Plan } from './plan.ts';

/** No more than this share of the instances within so long. */
const shareMax = 0.75;
const windowMs = 50;
/** Probes that tell whether their waits are drawn. */
const waitsMin = 20;
/** Of fewer, chance alone brings too many together. */
const instancesMin = 20;
/** Instances that a fault starts or wakes in the same moment do in that moment what they have to do. */
const wakingMs = 100;
/** The fleet starts, and connects for the first time. */
const startMs = 1000;

export class SpreadCheck implements FleetCheck {
  readonly name = 'connects-spread';
  readonly #wakingsMs: readonly number[];
  readonly #connects: Crowd;
  readonly #probes: Crowd;
  readonly #openedMs = new Map<string, number>();
  /** How long each opening lasted until its probe, in milliseconds. */
  readonly #waitsMs: number[] = [];

  constructor(plan: Plan) {
    this.#wakingsMs = plan.faults.flatMap(({ kind, atMs, forMs }) =>
      wakesAtEnd.includes(kind) ? [atMs + forMs] : kind === 'scale-out' ? [atMs] : [],
    );
    this.#connects = new Crowd(plan.instances, 'connected');
    this.#probes = new Crowd(plan.instances, 'probed Redis');
  }

  accepted(instance: string, atMs: number): void {
    if (atMs > startMs && !this.#isWaking(atMs)) this.#connects.add(instance, atMs);
  }

  moved({ instance, to, atMs }: BreakerEvent): void {
    if (to === 'open') this.#openedMs.set(instance, atMs);
    if (to !== 'half-open') return;
    if (!this.#isWaking(atMs)) this.#probes.add(instance, atMs);
    this.#waitsMs.push(atMs - (this.#openedMs.get(instance) ?? atMs));
  }

  result(): CheckResult {
    return this.#connects.tally.result(this.name, 'connections after the start');
  }

  get probes(): CheckResult {
    const together = mostWithin(this.#waitsMs, windowMs);
    if (this.#waitsMs.length >= waitsMin)
      this.#probes.tally.judge(
        together / this.#waitsMs.length <= shareMax,
        () =>
          `${together} of ${this.#waitsMs.length} probes came the same time after their openings, to within ${windowMs} ms`,
      );
    return this.#probes.tally.result('probes-spread', 'probes');
  }

  #isWaking(atMs: number): boolean {
    return this.#wakingsMs.some((wakingAtMs) => atMs >= wakingAtMs && atMs < wakingAtMs + wakingMs);
  }
}

/** They start or wake instances, all in the same moment, when they are over. */
const wakesAtEnd: readonly FaultKind[] = ['kill', 'stop', 'pause'];

/** Those who did something within the last moment. */
class Crowd {
  readonly tally = new Tally();
  readonly #instances: number;
  readonly #did: string;
  readonly #lastMs = new Map<string, number>();

  constructor(instances: number, did: string) {
    this.#instances = instances;
    this.#did = did;
  }

  add(instance: string, atMs: number): void {
    this.#lastMs.delete(instance);
    this.#lastMs.set(instance, atMs);
    for (const [other, thenMs] of this.#lastMs) {
      if (atMs - thenMs < windowMs) break;
      this.#lastMs.delete(other);
    }
    const share = this.#lastMs.size / this.#instances;
    if (this.#instances < instancesMin) return;
    this.tally.judge(
      share <= shareMax,
      () =>
        `${this.#lastMs.size} of ${this.#instances} instances ${this.#did} within ${windowMs} ms, until ${seconds(atMs)}`,
    );
  }
}

/** How many of the values lie within one stretch of that width, at the most. */
function mostWithin(values: readonly number[], width: number): number {
  const sorted = Float64Array.from(values).sort();
  let [from, most] = [0, 0];
  for (const [i, value] of sorted.entries()) {
    while (value - (sorted[from] as number) > width) from++;
    most = Math.max(most, i - from + 1);
  }
  return most;
}
