// How takes are written as arguments of token-bucket.lua. Nearly all takes of a call cost the same of the same limits, so
// each such shape is written once.
//
//   all alike:      1 shape   │ buckets costUs capacityUs …
//   else:           n shapes  │ buckets costUs capacityUs … │ … │ the shape of each take

import type { Charge, Take } from '../core/store.ts';
import { costUsOf } from '../core/token-bucket.ts';

/** The arguments that say what the takes cost: at least one take. */
export function shapeArgumentsOf(takes: readonly Take[]): string[] {
  const first = takes[0] as Take;
  if (takes.every((take) => isAlike(take, first))) return ['1', ...shapeOf(first)];
  const numbers = new Map<string, number>();
  const shapes: string[] = [];
  const ofTakes = takes.map((take) => {
    const shape = shapeOf(take);
    const id = shape.join(' ');
    let number = numbers.get(id);
    if (number === undefined) {
      number = numbers.size + 1;
      numbers.set(id, number);
      shapes.push(...shape);
    }
    return String(number);
  });
  return numbers.size === 1 ? ['1', ...shapes] : [String(numbers.size), ...shapes, ...ofTakes];
}

function shapeOf({ charges }: Take): string[] {
  const shape = [String(charges.length)];
  for (const { limit, cost } of charges)
    shape.push(String(costUsOf(limit.shared, cost)), String(limit.shared.capacityUs));
  return shape;
}

function isAlike({ charges }: Take, other: Take): boolean {
  if (charges.length !== other.charges.length) return false;
  for (let i = 0; i < charges.length; i++) {
    const [one, another] = [charges[i] as Charge, other.charges[i] as Charge];
    if (one.limit !== another.limit || one.cost !== another.cost) return false;
  }
  return true;
}
