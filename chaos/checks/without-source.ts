// Bound 2 for a target that does not say who decided. Every admission may have come from the store or from a fallback of
// its instance, so a key may be given what all of these hold together:
//
//   B·(1 + losses of the store's state) + r·Δ + Σ over instances (β·(1 + losses of its state) + ρ·Δ)       in any window Δ
//
// That is a bucket too, and it is judged as one. The control has a store of its own.

import { driftRatioOf } from '../bounds.ts';
import { type AnswerEvent, type History, isAllowed, isControl } from '../history.ts';
import { stateLosses } from './sources.ts';

/** A key's admissions, and the bucket that they have to obey. */
export interface Pool {
  readonly name: string;
  readonly key: string;
  readonly capacity: number;
  readonly refillPerSecond: number;
  readonly admits: readonly AnswerEvent[];
}

export function poolsOf(history: History): Pool[] {
  const { bounds, instances } = history.run;
  const admits = history.answers.filter(isAllowed);
  const losses = stateLosses(history);
  return ([false, true] as const).flatMap((control) => {
    const count = instances.filter((instance) => instance.control === control).length;
    const its = admits.filter(({ instance }) => isControl(history, instance) === control);
    return [...Map.groupBy(its, ({ key }) => key)].map(([key, admits]) => {
      const lost = control ? [] : losses.filter(({ hits }) => hits(key));
      const inStore = lost.filter(({ instance }) => instance === undefined).length;
      return {
        name: control ? 'the control' : 'all instances together',
        key,
        capacity: bounds.capacity * (1 + inStore) + bounds.fallbackCapacity * (count + lost.length - inStore),
        refillPerSecond: (bounds.refillPerSecond + bounds.fallbackRefillPerSecond * count) * (1 + driftRatioOf(bounds)),
        admits,
      };
    });
  });
}
