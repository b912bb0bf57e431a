// Tokens admitted to one key, a staircase that has to stay under its bound. The key drawn is the one that was asked for
// most, since little can be seen of a rare one; but a key that is over its bound, the furthest of them, comes first.

import { KeyAccount, LossesSoFar } from '../checks/key-account.ts';
import { stateLosses } from '../checks/sources.ts';
import type { AnswerEvent, FaultEvent, History, PlacementEvent, RunEvent } from '../history.ts';
import { armOf } from './lanes.ts';

export interface AdmissionStep {
  readonly atMs: number;
  readonly admitted: number;
  readonly bound: number;
}

export interface AdmissionLane {
  readonly key: string;
  /** After each admission and at the last answer, in order of receipt. */
  readonly steps: readonly AdmissionStep[];
}

/** Undefined when nobody was asked. */
export function admissionLane(history: History): AdmissionLane | undefined {
  const { bounds } = history.run;
  const losses = stateLosses(history);
  const accounts = new Map<string, KeyAccount>();
  const faulted = armOf(history, 'faulted');
  for (const answer of faulted) {
    const account = accounts.get(answer.key) ?? new KeyAccount(answer.key, bounds, losses);
    accounts.set(answer.key, account);
    account.enter(answer);
  }
  const key = chosenIn(accounts);
  if (key === undefined) return undefined;
  const answers = faulted.filter((answer) => answer.key === key).sort((a, b) => a.receivedMs - b.receivedMs);
  return { key, steps: stepsOf(new KeyAccount(key, bounds, losses), answers) };
}

function stepsOf(account: KeyAccount, answers: readonly AnswerEvent[]): AdmissionStep[] {
  return answers.flatMap((answer, i) => {
    const before = account.admitted;
    account.enter(answer);
    return account.admitted > before || i === answers.length - 1 ? [stepOf(account, answer)] : [];
  });
}

function stepOf(account: KeyAccount, { receivedMs: atMs }: AnswerEvent): AdmissionStep {
  return { atMs, admitted: account.admitted, bound: account.boundAt(atMs) };
}

/** The same while a run lasts: answers and faults as they come, each key's steps as they are made. */
export class Admissions {
  readonly #run: RunEvent;
  readonly #known: LossesSoFar;
  readonly #accounts = new Map<string, KeyAccount>();
  readonly #steps = new Map<string, AdmissionStep[]>();

  constructor(run: RunEvent) {
    this.#run = run;
    this.#known = new LossesSoFar(run);
  }

  /** What decides which of Redis's buckets are lost, and when. */
  learn(event: FaultEvent | PlacementEvent): void {
    this.#known.learn(event);
  }

  /** An answer of a faulted instance, in order of receipt. */
  enter(answer: AnswerEvent): void {
    const { key } = answer;
    const account = this.#accounts.get(key) ?? new KeyAccount(key, this.#run.bounds, this.#known.losses);
    const steps = this.#steps.get(key) ?? [];
    this.#accounts.set(key, account);
    this.#steps.set(key, steps);
    const before = account.admitted;
    account.enter(answer);
    if (account.admitted > before) steps.push(stepOf(account, answer));
  }

  /** Of the key that would be chosen now; undefined when nobody was asked. */
  get lane(): AdmissionLane | undefined {
    const key = chosenIn(this.#accounts);
    return key === undefined ? undefined : { key, steps: this.#steps.get(key) ?? [] };
  }
}

function chosenIn(accounts: ReadonlyMap<string, KeyAccount>): string | undefined {
  let chosen: { key: string; over: number; requests: number } | undefined;
  for (const [key, account] of accounts) {
    const over = Math.max(0, account.admitted - account.boundAt(Number.POSITIVE_INFINITY));
    const { requests } = account;
    if (!chosen || over > chosen.over || (over === chosen.over && requests > chosen.requests))
      chosen = { key, over, requests };
  }
  return chosen?.key;
}
