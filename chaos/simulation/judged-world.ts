// Lives through a plan and judges it: by the lab's own checks, as far as they need nothing but what clients and breakers
// tell, and by those of a fleet, which know when each token was taken.

import { admission } from '../checks/admission.ts';
import { breaker } from '../checks/breaker.ts';
import { type Check, type CheckResult, runChecks, type Verdict, worstOf } from '../checks/check.ts';
import { fleet } from '../checks/fleet.ts';
import { ghostTakes } from '../checks/ghost-takes.ts';
import { needlessRefusal } from '../checks/needless-refusal.ts';
import { remaining } from '../checks/remaining.ts';
import { retryAfter } from '../checks/retry-after.ts';
import { AnswersCheck } from './answers-check.ts';
import { CallsCheck } from './calls-check.ts';
import type { Core } from './core.ts';
import { Fingerprint } from './fingerprint.ts';
import { HistoryKeeper } from './history-keeper.ts';
import type { Observer } from './observer.ts';
import type { Plan } from './plan.ts';
import { SpreadCheck } from './spread-check.ts';
import { TokensCheck } from './tokens-check.ts';
import { World } from './world.ts';

/** The lab's checks hold each answer against the moves of all breakers: of more pairs only the fleet's own judge. */
const pairsMax = 4_000_000;

export interface Judged {
  readonly verdict: Verdict;
  readonly checks: readonly CheckResult[];
  /** Of all that happened: 64 hexadecimal digits. */
  readonly hash: string;
  readonly answers: number;
}

/** Rejects with an error that the limiter throws, or with the reason of `signal`. `others` watch, too. */
export async function judge(
  plan: Plan,
  core: Core,
  signal?: AbortSignal,
  others: readonly Observer[] = [],
): Promise<Judged> {
  const keeper = keepsHistory(plan) ? new HistoryKeeper(plan) : undefined;
  const [tokens, calls, answers, spread] = [
    new TokensCheck(plan),
    new CallsCheck(plan),
    new AnswersCheck(plan),
    new SpreadCheck(plan),
  ];
  const fingerprint = new Fingerprint();
  let count = 0;
  const counter: Observer = {
    answered: () => {
      count++;
    },
  };
  const watching = [fingerprint, counter, tokens, calls, answers, spread, ...(keeper ? [keeper] : []), ...others];
  await new World(plan, core, watching).live(signal);
  const checks = [
    ...(keeper ? runChecks(checksFor(plan), keeper.history) : []),
    tokens.result(),
    tokens.fairness,
    calls.result(),
    ...calls.others,
    answers.result(),
    answers.recovery,
    spread.result(),
    spread.probes,
  ];
  const verdict = worstOf(checks.map((check) => check.verdict));
  return { verdict, checks, hash: fingerprint.digest(), answers: count };
}

/** Whether all that happens is kept, for the lab's checks to look at. */
export function keepsHistory({ rate, durationMs, instances }: Plan): boolean {
  return (instances * rate * durationMs) / 1000 <= pairsMax;
}

/**
 * The lab has no word for a clock that is set back, which empties buckets, nor for instances that go each by another count
 * of the fleet: refusals are not judged then.
 */
function checksFor({ faults, told }: Plan): readonly Check[] {
  return !told || faults.some(({ kind }) => kind === 'clock-back')
    ? [admission, fleet, breaker]
    : [admission, fleet, breaker, needlessRefusal, remaining, ghostTakes, retryAfter];
}
