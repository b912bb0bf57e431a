// What a record must hold for its run to be judged by it: every request that was planned, and no line twice; every phase;
// and for each fault that it was put on all that it hits, and taken off. Where something is missing, what the limiter did
// meanwhile is not known, so no check of the record fails, and its verdict is unknown.

import type { AnswerEvent, FaultEvent, History } from '../history.ts';
import { healMs, onsetMs, type PhaseName } from '../scenario.ts';

/** A phase that would have lasted less than this may have been too short to be told. */
const phaseMsMin = 2000;

/** What is missing, or too much, a sentence each; none where the record is whole, or says itself that it was cut off. */
export function gapsIn(history: History): string[] {
  if (!history.complete) return [];
  const gaps = [...requestGaps(history), ...repeatGaps(history), ...impossible(history)];
  return history.phases.length === 0 ? gaps : [...gaps, ...phaseGaps(history), ...faultGaps(history)];
}

function requestGaps({ run, answers }: History): string[] {
  if (!run.planned) return [];
  const recorded = new Map<string, number>();
  for (const { instance } of answers) recorded.set(instance, (recorded.get(instance) ?? 0) + 1);
  return Object.entries(run.planned.requests).flatMap(([instance, planned]) => {
    const count = recorded.get(instance) ?? 0;
    return count === planned ? [] : [`Of ${planned} requests planned for ${instance}, ${count} are recorded.`];
  });
}

/** The same instance is never told to have moved, or to have been hit, twice in the same microsecond and the same way. */
function repeatGaps({ run, answers, breaker, faults }: History): string[] {
  const repeated = repeatsIn(breaker) + repeatsIn(faults) + (run.planned ? 0 : repeatedAnswers(answers));
  return repeated === 0 ? [] : [`What ${repeated === 1 ? 'a line tells' : `${repeated} lines tell`} was told before.`];
}

function repeatsIn(events: readonly object[]): number {
  return events.length - new Set(events.map((event) => JSON.stringify(event))).size;
}

/** Arrivals are dated in microseconds at least, so next to none is to be compared. */
function repeatedAnswers(answers: readonly AnswerEvent[]): number {
  const bySchedule = new Map<number, AnswerEvent[]>();
  let repeated = 0;
  for (const answer of answers) {
    const others = bySchedule.get(answer.scheduledMs);
    if (others?.some((other) => JSON.stringify(other) === JSON.stringify(answer))) repeated++;
    if (others) others.push(answer);
    else bySchedule.set(answer.scheduledMs, [answer]);
  }
  return repeated;
}

function impossible({ answers }: History): string[] {
  const early = answers.find(({ sentMs, receivedMs }) => receivedMs < sentMs);
  return early ? [`An answer of ${early.instance} at ${early.sentMs} ms was received before it was sent.`] : [];
}

function phaseGaps({ run, phases, faults }: History): string[] {
  const named = new Set(phases.map(({ name }) => name));
  const runEndMs = Math.max(phases.at(-1)?.endMs ?? 0, run.planned?.durationMs ?? 0);
  const lastHealedMs = Math.max(0, ...faults.flatMap(({ action, endMs }) => (action === 'heal' ? [endMs] : [])));
  const isLong = (name: PhaseName, usualMs: number) =>
    phases.some((it) => it.name === name && it.endMs - it.startMs > usualMs + phaseMsMin);
  const must: readonly (readonly [PhaseName, boolean])[] = [
    ['baseline', true],
    ['onset', run.schedule.length > 0],
    ['fault', run.schedule.length > 0 && isLong('onset', onsetMs)],
    ['heal', run.schedule.length > 0],
    ['recovered', run.schedule.length > 0 && runEndMs - lastHealedMs > healMs + phaseMsMin],
  ];
  const missing = must.filter(([name, is]) => is && !named.has(name)).map(([name]) => name);
  const first = phases[0]?.name;
  if (first !== 'baseline' && !missing.includes('baseline')) missing.unshift('baseline');
  return missing.map((name) => `The line with which the phase ${name} begins is missing.`);
}

function faultGaps({ run, faults, placement }: History): string[] {
  const { schedule, instances } = run;
  if (schedule.length === 0) {
    const isPlanned = run.planned !== undefined && faults.length > 0;
    return isPlanned ? ['A fault was put on, and none was planned.'] : [];
  }
  const gaps: string[] = [];
  if (run.planned?.placed && schedule.some(({ reach }) => reach === 'one-shard') && placement === undefined)
    gaps.push('Nothing tells which keys each master held.');
  const faulted = instances.filter(({ control }) => !control).map(({ name }) => name);
  const kinds = new Map(schedule.map(({ fault, reach }) => [`${fault} ${reach}`, { kind: fault, reach }]));
  for (const { kind, reach } of kinds.values()) {
    const its = faults.filter((it) => it.fault === kind && it.reach === reach);
    const injected = countsOf(its, 'inject');
    const healed = countsOf(its, 'heal');
    const isOfAll = reach === 'store-links' || reach === 'front-links';
    const targets = new Set([...injected.keys(), ...healed.keys(), ...(isOfAll ? faulted : [])]);
    const most = Math.max(0, ...injected.values(), ...healed.values());
    if (most === 0) gaps.push(`Nothing tells that ${kind} was put on.`);
    for (const target of targets) {
      if ((injected.get(target) ?? 0) < most) gaps.push(`Nothing tells when ${kind} was put on ${target}.`);
      if ((healed.get(target) ?? 0) < most) gaps.push(`Nothing tells when ${kind} was taken off ${target}.`);
    }
  }
  return gaps;
}

/** How often, for each target. */
function countsOf(faults: readonly FaultEvent[], action: FaultEvent['action']): Map<string, number> {
  const its = Map.groupBy(
    faults.filter((it) => it.action === action),
    ({ target }) => target,
  );
  return new Map([...its].map(([target, events]) => [target, events.length]));
}
