// Keeps all that the lab outside would have seen of a world, as a history that the lab's own checks can judge.

import {
  type AnswerEvent,
  type BreakerEvent,
  type FaultEvent,
  type History,
  type HistoryEvent,
  historyOf,
  historyVersion,
  reportables,
} from '../history.ts';
import type { Observer } from './observer.ts';
import type { Plan } from './plan.ts';
import { nameOf } from './world.ts';

export class HistoryKeeper implements Observer {
  readonly #plan: Plan;
  readonly #events: HistoryEvent[] = [];
  /** The smallest number of instances that one of them went by. */
  #fewest: number;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#fewest = plan.instances;
  }

  answered(answer: AnswerEvent): void {
    this.#events.push(answer);
  }

  moved(move: BreakerEvent): void {
    this.#events.push(move);
  }

  lost(loss: FaultEvent): void {
    this.#events.push(loss);
  }

  counted(_instance: string, count: number): void {
    this.#fewest = Math.min(this.#fewest, count);
  }

  /** An instance that knows of no other refills its fallback as if it were alone. */
  get history(): History {
    const requests: Record<string, number> = {};
    for (const event of this.#events)
      if (event.type === 'answer') requests[event.instance] = (requests[event.instance] ?? 0) + 1;
    const { seed, rate, bounds, instances, told, durationMs } = this.#plan;
    const fallbackRefillPerSecond = bounds.refillPerSecond / (told ? instances : Math.min(1, this.#fewest));
    return historyOf([
      {
        type: 'run',
        version: historyVersion,
        scenario: 'simulation',
        hypothesis: 'Whatever breaks, the bounds hold.',
        gives: reportables,
        schedule: [],
        seed,
        driver: 'simulation',
        rate,
        planned: { durationMs, requests, placed: false },
        startedAt: '2026-11-24T04:00:00.000Z',
        bounds: { ...bounds, fallbackRefillPerSecond },
        instances: Array.from({ length: instances }, (_, i) => ({
          name: nameOf(i),
          control: false,
          reportsBreaker: true,
        })),
        environment: {},
      },
      { type: 'phase', phase: 'end', atMs: durationMs },
      ...this.#events,
    ]);
  }
}
