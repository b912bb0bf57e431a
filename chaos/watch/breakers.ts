// Follows the breakers of all instances by what they report of them, and records it.

import type { Environment, Instance } from '../environment.ts';
import type { BreakerEvent, FaultEvent } from '../history.ts';
import type { Target } from '../targets/target.ts';
import { breakerMoves, clockAheadMs, type Zero } from './observer.ts';
import type { Recorder } from './recorder.ts';

/** Of the same move, by rounding. */
const sameMsMax = 0.005;

/** Records every move of every breaker once. */
export class BreakerWatch {
  readonly #environment: Environment;
  readonly #path: string | undefined;
  readonly #zero: Zero;
  readonly #recorder: Recorder;
  readonly #recorded = new Map<string, number>();
  readonly #gone = new Set<string>();
  /** The last move of each breaker. */
  readonly #last = new Map<string, BreakerEvent>();
  readonly #aheadMs = new Map<string, Promise<number>>();
  readonly states = new Map<string, string>();

  constructor(environment: Environment, { breaker }: Pick<Target, 'breaker'>, zero: Zero, recorder: Recorder) {
    this.#environment = environment;
    this.#path = breaker?.path;
    this.#zero = zero;
    this.#recorder = recorder;
    recorder.onEvent((event) => {
      if (event.type === 'breaker') this.#last.set(`${event.instance} ${event.shard}`, event);
      if (event.type === 'fault' && event.action === 'inject' && isOfInstance(event)) this.#goneWith(event);
    });
  }

  /** Returns the names of the instances that report. */
  async look(): Promise<Set<string>> {
    const reporting = new Set<string>();
    const path = this.#path;
    if (path === undefined) return reporting;
    await Promise.all(
      this.#environment.instances.map(async (instance) => {
        const before = this.#aheadMs.get(instance.name) ?? aheadOfDrift(instance, path, this.#zero);
        this.#aheadMs.set(instance.name, before);
        const aheadMs = (await before) + gainedMs(instance);
        const moves = await breakerMoves(instance, path, this.#zero, aheadMs);
        if (!moves) return;
        reporting.add(instance.name);
        this.#record(instance.name, moves, aheadMs);
      }),
    );
    return reporting;
  }

  /** Moves are known again by the instance's own clock, by which `aheadMs` may be another at the next look. */
  #record(name: string, looked: readonly BreakerEvent[], aheadMs: number): void {
    const moves = looked.filter(({ to }) => to !== 'gone');
    this.#recordGone(name, looked);
    const knownMs = this.#recorded.get(name) ?? Number.NEGATIVE_INFINITY;
    const itsMs = ({ atMs }: BreakerEvent) => atMs + aheadMs;
    const unseen = moves.filter((move) => itsMs(move) > knownMs + sameMsMax);
    if (unseen.length > 0) this.#recorder.record(...unseen);
    const last = moves.at(-1);
    if (last && itsMs(last) < knownMs - sameMsMax) return; // a look that took longer than the next one
    if (last) this.#recorded.set(name, itsMs(last));
    this.states.set(name, looked.at(-1)?.to === 'gone' ? 'closed' : (last?.to ?? 'closed'));
  }

  /** What comes up in the place of an instance that lost what it knew has breakers of its own, which are closed. */
  #goneWith({ target, endMs }: FaultEvent): void {
    for (const { to, ...last } of [...this.#last.values()]) {
      if (last.instance !== target || to === 'closed' || to === 'gone') continue;
      this.#recorder.record({ ...last, atMs: Math.max(endMs, last.atMs), from: to, to: 'gone' });
    }
  }

  /** Every look sees again that a breaker is gone. */
  #recordGone(name: string, looked: readonly BreakerEvent[]): void {
    for (const event of looked.filter(({ to }) => to === 'gone')) {
      const id = `${name} ${event.shard} ${looked.filter(({ shard }) => shard === event.shard).length}`;
      if (!this.#gone.has(id)) this.#recorder.record(event);
      this.#gone.add(id);
    }
  }
}

/** How far it was ahead of the lab's without what the lab made it gain since. */
async function aheadOfDrift(instance: Instance, path: string, zero: Zero): Promise<number> {
  const before = gainedMs(instance);
  return (await clockAheadMs(instance, path, zero)) - before;
}

function gainedMs({ clock }: Instance): number {
  return clock?.gainedMs() ?? 0;
}

function isOfInstance({ reach, state }: FaultEvent): boolean {
  return reach === 'one-instance' && state === 'lost';
}
