// What can be wrong with a limiter, or with a record, made by changing sound runs: each kind in several sizes, with the
// check that has to say so, and the smallest size at which it does.

import { runChecks } from '../../chaos/checks/check.ts';
import { checks } from '../../chaos/checks/index.ts';
import type { Mutation } from './mutation.ts';
import { answerMutations } from './mutations-answers.ts';
import { breakerMutations } from './mutations-breaker.ts';
import { limiterMutations } from './mutations-limiter.ts';
import { recordMutations } from './mutations-record.ts';

export const mutations: readonly Mutation[] = [
  ...limiterMutations,
  ...answerMutations,
  ...breakerMutations,
  ...recordMutations,
];

export interface Catch {
  readonly caught: boolean;
  /** Checks that fail and have nothing to do with it. */
  readonly unrelated: readonly string[];
}

export function judged({ run, check, verdict, also = [] }: Mutation, seed: number, size: number): Catch {
  const results = runChecks(checks, run(seed, size));
  const failed = new Set(results.filter((it) => it.verdict === 'fail').map(({ name }) => name));
  return {
    caught: results.some((it) => it.name === check && it.verdict === verdict),
    unrelated: [...failed].filter((name) => name !== check && !also.includes(name)),
  };
}
