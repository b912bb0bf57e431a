// A run in a few sentences: what was broken, what happened, whether the promise held. For whoever has ten seconds.

import { serviceDefaults } from '../bounds.ts';
import { type CheckResult, severityOf } from '../checks/check.ts';
import { isBreakerHit } from '../checks/outage.ts';
import { askedUnits } from '../checks/recovery-without-source.ts';
import { answersIn, type BreakerEvent, type RunEvent, type SourceKind } from '../history.ts';
import { failopen } from '../targets/failopen.ts';
import { isOwn, targets } from '../targets/index.ts';
import { mechanismOf } from '../targets/mechanisms.ts';
import { counted, duration, figure, grouped, listed, seconds, share } from './figures.ts';
import type { Journal } from './journal.ts';
import type { JudgedRun } from './journal-shape.ts';
import type { Run } from './run.ts';
import { reasonOf, worstJudged } from './terminal.ts';
import { type FaultWindow, timelineOf } from './timeline.ts';

export interface Story {
  readonly broken: string;
  readonly happened: readonly string[];
  readonly promise: string;
}

export function storyOf(run: Run, journal: Journal): Story {
  const windows = timelineOf(run.history).faults;
  return {
    broken: brokenIn(run, windows),
    happened: [
      ...breakerStory(run, windows),
      ...failoverStory(run, windows),
      ...answerStory(run, journal, windows),
      ...recoveryStory(run, windows),
    ],
    promise: promiseOf(run, journal),
  };
}

/** One or two sentences: what decided the verdict. */
export function verdictSentence(journal: JudgedRun): string {
  const { verdict, checks } = journal;
  if (verdict === 'pass') return `${capitalized(reasonOf(journal, checks))}.`;
  const decisive = checks.filter((check) => check.verdict === verdict);
  const first = decisive[0];
  if (!first) return 'Nothing was judged.';
  const others = decisive.length - 1;
  const detail = first.detail.replace(/\.$/, '').replace(/^cannot tell: /, '');
  if (verdict === 'unknown') {
    const more = others > 0 ? `, nor about ${counted(others, 'other check')}` : '';
    return `Cannot tell about ${placeOf(first)} (${detail})${more}.`;
  }
  const more = others > 0 ? ` So did ${counted(others, 'other check')}.` : '';
  return `${capitalized(placeOf(first))} failed${figuresOf(first)} (${detail}).${more}`;
}

/** Those that decide the verdict before the others. */
export function worstFirst(checks: readonly CheckResult[]): CheckResult[] {
  return checks.toSorted((a, b) => severityOf(b.verdict) - severityOf(a.verdict));
}

/** `latency in onset`, `availability`. */
export function placeOf({ name, phase }: CheckResult): string {
  return phase === 'all' ? name : `${name} in ${phase}`;
}

function figuresOf({ measured, limit, unit }: CheckResult): string {
  return measured === null || limit === null ? '' : `: ${figure(measured)} ${unit}, limit ${figure(limit)}`;
}

/** What has to be typed to see it again. Settings that differ from the service's defaults are spelled out. */
export function commandOf({ history: { run, faults } }: Run): string {
  const { bounds, target: name = failopen.name } = run;
  const which = isStorm(run) ? '--replay RUN' : `--seed ${run.seed} --rate ${run.rate}`;
  if (!isOwn({ name })) return `npm run scenario ${quoted(run.scenario)} -- ${targetOption(name)} ${which}`;
  const settings: Partial<Record<keyof typeof serviceDefaults, number>> = {
    RATE_LIMIT: bounds.capacity,
    RATE_LIMIT_WINDOW_SEC: rounded(bounds.capacity / bounds.refillPerSecond),
    RATE_LIMIT_BURST: bounds.fallbackCapacity,
    INSTANCES: rounded(bounds.refillPerSecond / bounds.fallbackRefillPerSecond),
    REDIS_TIMEOUT_MS: bounds.redisTimeoutMs,
    BREAKER_FAILURES: bounds.breakerFailures,
    BREAKER_RESET_MS: bounds.breakerResetMs,
  };
  const differing = Object.entries(settings).filter(
    ([name, value]) => String(value) !== serviceDefaults[name as keyof typeof settings],
  );
  const isByHand = run.schedule.length === 0 && (faults.length > 0 || run.scenario === 'manual');
  const command = isByHand
    ? 'npm run console'
    : `npm run scenario ${quoted(run.scenario)} -- --driver ${quoted(run.driver)} ${which}`;
  return [...differing.map(([name, value]) => `${name}=${value}`), command].join(' ');
}

/** Its seed alone does not tell it: its length does too, and it may itself be another one's replay. */
export function isStorm({ scenario }: RunEvent): boolean {
  return scenario === 'storm';
}

/** Of somebody else's limiter, whose bounds are no settings. What a file or a command said is not recorded. */
function targetOption(name: string): string {
  if (name === 'command') return "--target command --command 'CMD'";
  return `--target ${targets.some((target) => target.name === name) ? name : 'FILE'}`;
}

/** Of a run whose faults were switched by hand; empty when none was. */
function byHand(windows: readonly FaultWindow[]): string {
  if (areMany(windows)) return `Switched by hand: ${manyFaults(windows)}`;
  const parts = windows.map(
    ({ fault, targets, startMs, endMs }) =>
      `${fault} of ${targets.join(' and ')} from ${seconds(startMs, 1)} to ${seconds(endMs, 1)}`,
  );
  return parts.length > 0 ? `Switched by hand: ${parts.join('; ')}.` : '';
}

function brokenIn({ history: { run }, described }: Run, windows: readonly FaultWindow[]): string {
  if (!described) return 'Not known: the line that tells it is missing.';
  const [planned] = run.schedule;
  if (!planned) return byHand(windows) || 'Nothing: this run shows how it is when all is well.';
  if (windows.length === 0) return `Nothing yet: the run ended before its first fault.`;
  if (areMany(windows)) return manyFaults(windows);
  return [...Map.groupBy(windows, ({ description }) => description)]
    .map(([description, alike]) => `${description}, ${listed(alike.map(whenOf))}.`)
    .join(' ');
}

/** Too many to be told in words. */
function areMany(windows: readonly FaultWindow[]): boolean {
  return windows.length > 12 || new Set(windows.map(({ description }) => description)).size > 6;
}

function manyFaults(windows: readonly FaultWindow[]): string {
  const kinds = new Set(windows.map(({ fault }) => fault)).size;
  return `${counted(windows.length, 'fault')} of ${counted(kinds, 'kind')}; the report has a table of them.`;
}

function whenOf({ startMs, endMs, healed }: FaultWindow): string {
  return `from ${seconds(startMs, 1)} ${healed ? `to ${seconds(endMs, 1)}` : 'until the run was cut off'}`;
}

function breakerStory({ history }: Run, windows: readonly FaultWindow[]): string[] {
  const { run } = history;
  const faulted = run.instances.filter(({ control }) => !control);
  if (windows.length === 0) return [];
  if (faulted.some(({ reportsBreaker }) => !reportsBreaker)) return ['The limiter does not tell of its breaker.'];
  // Of one that is open from the fault before, a probe fails.
  const isOpening = ({ from, to }: BreakerEvent) => to === 'open' && (from === 'closed' || windows.length === 1);
  const openingsIn = ({ startMs, endMs }: FaultWindow) =>
    faulted.flatMap(({ name }) => {
      const moves = history.breaker.filter((move) => move.instance === name && isBreakerHit(history, move.shard));
      const before = moves.findLast((move) => move.atMs < startMs);
      if (windows.length === 1 && before?.to === 'open') return [0]; // opened by noise
      const open = moves.find((move) => isOpening(move) && move.atMs >= startMs);
      return open && open.atMs <= endMs ? [open.atMs - startMs] : [];
    });
  const each = windows.map(openingsIn);
  const [openings = []] = each;
  const opening = each.filter(({ length }) => length > 0).length;
  if (opening === 0) return ['No breaker opened.'];
  if (windows.length > 1) return [`A breaker opened in ${opening} of ${counted(windows.length, 'fault')}.`];
  const slowestMs = Math.round(Math.max(...openings));
  const slowest = slowestMs === 0 ? 'when the injection began' : `${figure(slowestMs)} ms after the injection began`;
  if (openings.length < faulted.length) return [`${openings.length} of ${faulted.length} breakers opened.`];
  return [`${faulted.length === 1 ? 'The' : 'Every'} breaker was open ${slowest}.`];
}

function answerStory({ history }: Run, { phases }: Journal, windows: readonly FaultWindow[]): string[] {
  const { run } = history;
  const isBroken = run.schedule.length > 0;
  const parts = isBroken ? [phases.onset, phases.fault] : Object.values(phases);
  const requests = parts.reduce((sum, phase) => sum + (phase?.requests ?? 0), 0);
  const by = (source: SourceKind) =>
    parts.reduce((sum, phase) => sum + (phase?.mechanism[mechanismOf[source]] ?? 0), 0);
  if (requests === 0) return [];
  const lasted = windows.length > 1 ? 'they' : 'it';
  if (isBroken && run.withoutStore) {
    const stretches = history.phases.filter(({ name }) => name === 'onset' || name === 'fault');
    const told = answersIn(history, stretches, 'faulted').filter(({ source }) => source === 'none').length;
    const answered = `${figure(share(told, requests))} % of ${counted(requests, 'request')}`;
    return [`While ${lasted} lasted ${answered} were answered without a bucket.`];
  }
  const expected = isBroken ? 'local' : 'shared';
  const decided = `${figure(share(by(expected), requests))} % of ${counted(requests, 'request')}`;
  return isBroken
    ? [`While ${lasted} lasted the fallback decided ${decided}.`]
    : [`Redis decided ${decided}, the fallback ${grouped(by('local'))}.`];
}

function failoverStory({ history: { failover } }: Run, [window]: readonly FaultWindow[]): string[] {
  if (!failover || !window) return [];
  return [`Another master had taken its place ${duration(failover.endMs - window.startMs)} after the kill.`];
}

function recoveryStory({ history: { failover }, checks }: Run, windows: readonly FaultWindow[]): string[] {
  const recovery = checks.find(({ name }) => name === 'recovery');
  if (!recovery || recovery.verdict === 'not applicable' || windows.length === 0) return [];
  const after = failover ? 'After that' : 'After the heal';
  if (recovery.measured === null || askedUnits.has(recovery.unit))
    return [windows.every(({ healed }) => healed) ? `${after}: ${recovery.detail}.` : `Then ${recovery.detail}.`];
  return [`${after} Redis decided again within ${duration(recovery.measured)}.`];
}

function promiseOf({ history: { run }, described }: Run, { verdict, phases, checks }: Journal): string {
  if (!described) return 'Cannot be told: the limits are not known.';
  const all = Object.values(phases);
  const requests = all.reduce((sum, phase) => sum + phase.requests, 0);
  const answered = all.reduce((sum, phase) => sum + phase.answered, 0);
  const lead = { pass: 'Yes.', fail: 'No.', unknown: 'Cannot be told.' }[verdict];
  const [where, p99Ms] = verdict === 'pass' ? keptIn(checks) : seenIn(phases);
  const p99 =
    p99Ms === null
      ? ''
      : p99Ms === Number.POSITIVE_INFINITY
        ? `; in ${where} more than 1 % were not`
        : `; worst p99 ${figure(p99Ms)} ms (${where}) of ${figure(run.bounds.p99Ms)} ms`;
  return `${lead} ${grouped(answered)} of ${counted(requests, 'request')} answered${p99}.`;
}

/** A phase and its p99; null where there is none. */
type PhaseP99 = readonly [phase: string, p99Ms: number | null];

function keptIn(checks: Journal['checks']): PhaseP99 {
  const { phase, p99Ms } = worstJudged(checks) ?? { phase: '', p99Ms: null };
  return [phase, p99Ms];
}

function seenIn(phases: Journal['phases']): PhaseP99 {
  return Object.entries(phases)
    .map(([name, { latencyMs, requests }]): PhaseP99 => [name, requests === 0 ? null : (latencyMs.p99 ?? Infinity)])
    .reduce((a, b) => ((b[1] ?? -1) > (a[1] ?? -1) ? b : a), ['', null]);
}

function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

/** For a shell, when it needs to be. */
function quoted(text: string): string {
  return /^[\w.-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
