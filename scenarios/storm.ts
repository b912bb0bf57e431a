// A storm: faults drawn at random from every kind that one Redis can suffer, one after another or two at a time. The seed
// draws it, so the same seed is the same storm; and a storm that was recorded can be put on again.

import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { LabError, UsageError } from '../chaos/errors.ts';
import { faultKinds, faultOf } from '../chaos/faults/index.ts';
import type { RunEvent } from '../chaos/history.ts';
import type { FaultSpec, Lever, Scenario, ScheduledFault } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';
import { scenarios } from './index.ts';

export const stormName = 'storm';
export const minutesMax = 60;

/** Before the first fault. Twice as long as in other scenarios: one pause of the machine here would leave all the rest untold. */
const beginMs: number = 2 * once.atMs;
/** After the last one, to recover in. */
const endMs = 4500;
const forMs = { min: 2000, max: 6000 };
const restMs = { min: 3500, max: 8000 };
/** For so long each of two that overlap is alone, the first before the second and the second after it: to be seen. */
const aloneMs = { min: 1800, max: 3000 };
/** After so many draws neighbouring seeds have nothing in common. */
const mixingDraws = 16;
/** One in so many is overlapped by another. */
const overlapsOneIn = 3;

const storm = { name: stormName, family: 'steady', keys, service } as const satisfies Partial<Scenario>;
const hypothesis = 'Whatever breaks, and in whatever order, each request is decided in time, by whoever can.';

/** `levers`: those that the driver has. A fault that needs another is not drawn. */
export function stormOf(seed: number, minutes: number, levers: ReadonlySet<Lever>): Scenario {
  const random = xoroshiro128plus(seed);
  for (let i = 0; i < mixingDraws; i++) random.next();
  const between = ({ min, max }: { min: number; max: number }) => uniformInt(random, min, max);
  const oneOf = <T>(list: readonly T[]): T => list[between({ min: 0, max: list.length - 1 })] as T;
  const possible = faultKinds.filter(({ examples }) => {
    const { needs } = faultOf(examples[0] as FaultSpec);
    return !needs.includes('topology') && needs.every((need) => levers.has(need));
  });
  const durationMs = minutes * 60_000;
  const faults: ScheduledFault[] = [];
  const drawn = (atMs: number, forMs: number): ScheduledFault => {
    const use = oneOf(oneOf(possible).examples);
    return { use, on: oneOf(faultOf(use).reaches), atMs, forMs };
  };
  for (let atMs: number = beginMs; ; ) {
    const first = drawn(atMs, between(forMs));
    const secondAtMs = atMs + between(aloneMs);
    const second = drawn(secondAtMs, overMs(first) + between(aloneMs) - secondAtMs);
    const overlaps = between({ min: 1, max: overlapsOneIn }) === 1;
    const its = overlaps && secondAtMs < overMs(first) && mayOverlap(first, second) ? [first, second] : [first];
    atMs = Math.max(...its.map(overMs));
    if (atMs + endMs > durationMs) break;
    faults.push(...its);
    atMs += between(restMs);
  }
  if (faults.length === 0) throw new UsageError(`A storm of ${minutes} minutes has no time for a fault.`);
  return { ...storm, hypothesis, faults, timing: { ...timing, durationMs } };
}

/** The same schedule again. Throws a `UsageError` when the run does not tell it. */
export function replayOf(run: RunEvent, directory: string): Scenario {
  const faults = run.schedule.map(({ use, reach, atMs, forMs }): ScheduledFault => {
    if (use === undefined)
      throw new UsageError(`${directory} does not tell its faults' parameters: it is of an older lab.`);
    assertKnown(use, directory);
    return { use, on: reach, atMs, forMs };
  });
  const { durationMs } = run.planned ?? {};
  if (durationMs === undefined || faults.length === 0)
    throw new UsageError(`${directory} has no schedule of faults that could be put on again.`);
  if (durationMs > minutesMax * 60_000)
    throw new UsageError(`${directory} is longer than ${minutesMax} minutes, and so than a storm may be.`);
  if (run.withoutStore)
    throw new UsageError(
      `${directory} is a run whose limiter was told what to answer without its store. Run ${run.scenario} by its name.`,
    );
  return { ...storm, hypothesis: run.hypothesis, faults, timing: { ...timing, durationMs } };
}

/** A record or a file may be of another lab, or have been written by hand. */
export function assertKnown(use: FaultSpec, whose: string): void {
  try {
    faultOf(use);
  } catch (error) {
    throw error instanceof LabError ? new UsageError(`${whose} cannot be put on again. ${error.message}`) : error;
  }
}

/** Those faults alone, with no more time between them than a limiter needs to recover. Those that overlapped still do. */
export function stormOfOnly(faults: readonly ScheduledFault[]): Scenario {
  let [shiftMs, untilMs] = [0, Number.NEGATIVE_INFINITY];
  const closer = faults.map((fault, i): ScheduledFault => {
    const nextMs = i === 0 ? beginMs : untilMs - shiftMs + restMs.max;
    if (fault.atMs >= untilMs) shiftMs = fault.atMs - nextMs;
    untilMs = Math.max(untilMs, overMs(fault));
    return { ...fault, atMs: fault.atMs - shiftMs };
  });
  const durationMs = untilMs - shiftMs + endMs;
  return { ...storm, family: familyOf(faults), hypothesis, faults: closer, timing: { ...timing, durationMs } };
}

/** That of a scenario which puts on the first of them, and is no more than its faults: the family says what is broken. */
function familyOf([first]: readonly ScheduledFault[]): Scenario['family'] {
  const isOfIt = ({ faults = [], load, topology }: Scenario) =>
    !load && !topology && faults.some(({ use }) => use.kind === first?.use.kind);
  return scenarios.find(isOfIt)?.family ?? storm.family;
}

function overMs({ atMs, forMs }: ScheduledFault): number {
  return atMs + forMs;
}

/** As the schedule has it: what heals one must not heal the other, and of an instance that is away nobody can tell. */
function mayOverlap(...both: readonly [ScheduledFault, ScheduledFault]): boolean {
  const [one, other] = both;
  const isAway = both.some(({ on }) => on === 'one-instance');
  return one.use.kind !== other.use.kind && !isAway && !both.every(({ on }) => on === 'shared-store');
}
