// A policies file, as the simulation needs it: how much each of its limits allows.

import { UsageError } from '../../chaos/errors.ts';
import type { Bounds } from '../../chaos/scenario.ts';
import { policiesOf } from '../../service/config/policies.ts';
import { policiesIn } from '../../service/config/policies-text.ts';

export interface SizedLimit extends Pick<Bounds, 'capacity' | 'refillPerSecond' | 'fallbackCapacity'> {
  readonly policy: string;
  /** That of the policy, and of the limit where the policy has several. */
  readonly name: string;
}

/** `name`: what the mistakes call the file. Throws a `UsageError` with all of them. */
export function limitsIn(text: string, name: string): readonly SizedLimit[] {
  const mistakes: string[] = [];
  const options = { instances: undefined, isCluster: false, workers: 1 };
  const written = policiesIn(text, options, mistakes, name);
  if (!written) throw new UsageError(mistakes.join('\n'));
  return policiesOf(written, options).flatMap(({ name: policy, limits }) =>
    limits.map(({ shared, fallback }) => ({
      policy,
      name: shared.quota.name,
      capacity: shared.capacity,
      refillPerSecond: (1000 * shared.quota.capacity) / shared.quota.windowMs,
      fallbackCapacity: fallback.capacity,
    })),
  );
}
