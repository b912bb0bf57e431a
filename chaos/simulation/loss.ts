// Buckets that are lost, as the lab's history tells it.

import type { FaultEvent } from '../history.ts';

export function lossOf(
  fault: string,
  { target, reach, state, atMs }: Pick<FaultEvent, 'target' | 'reach' | 'state'> & { readonly atMs: number },
): FaultEvent {
  const facts = { fault, effect: 'none', state, endsBy: 'heal', reach, description: 'Buckets were lost' } as const;
  return { type: 'fault', action: 'inject', ...facts, target, beginMs: atMs, endMs: atMs };
}
