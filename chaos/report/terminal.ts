// What a person at a terminal sees: a line while it runs, a table when it is over. 80 columns.

import { relative } from 'node:path';
import { styleText } from 'node:util';
import type { CheckResult, Verdict } from '../checks/check.ts';
import { latency, noisyShare } from '../checks/latency.ts';
import { typedIn } from '../command-line.ts';
import { oneLine, wrapped } from '../printable.ts';
import type { Progress } from '../run/runner.ts';
import { mechanismOf } from '../targets/mechanisms.ts';
import { fixed } from './figures.ts';
import type { Journal } from './journal.ts';
import type { JudgedRun } from './journal-shape.ts';
import { tally } from './lanes.ts';

/** Colours when the stream is a terminal and NO_COLOR is not set; `styleText` looks at both. */
export function verdictText(verdict: Verdict, stream: NodeJS.WriteStream = process.stdout): string {
  const colour = verdict === 'pass' ? 'green' : verdict === 'fail' ? 'red' : 'yellow';
  return styleText(['bold', colour], verdict.toUpperCase(), { stream });
}

/** Shows progress: one line that is rewritten on a terminal, a line now and then otherwise. */
export class ProgressLine {
  readonly #stream: NodeJS.WriteStream;
  readonly #scenario: string;
  #lastPhase = '';

  constructor(scenario: string, stream: NodeJS.WriteStream) {
    this.#scenario = scenario;
    this.#stream = stream;
  }

  show(progress: Progress): void {
    const text = oneLine(`${this.#scenario}: ${describe(progress)}`);
    if (this.#stream.isTTY) this.#stream.write(`\r\u001b[2K${text.slice(0, (this.#stream.columns || 80) - 1)}`);
    else if (progress.phase !== this.#lastPhase || progress.answers.length > 0) this.#stream.write(`${text}\n`);
    this.#lastPhase = progress.phase;
  }

  clear(): void {
    if (this.#stream.isTTY) this.#stream.write('\r\u001b[2K');
  }
}

function describe({ phase, remainingMs, answers, breakers }: Progress): string {
  if (phase === 'starting') return 'starting redis, toxiproxy, prometheus and the limiters';
  if (phase === 'judging') return 'judging';
  const { requests, latencyMs, outcomes } = tally(answers);
  const fallback = outcomes['fallback allowed'] + outcomes['fallback refused'];
  const share = requests === 0 ? '–' : `${Math.round((100 * fallback) / requests)} %`;
  const states = [...breakers]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, state]) => `${name.replace('limiter-', '')} ${state}`);
  const latency = latencyMs.p99 === null ? '–' : `${fixed(latencyMs.p99, 1)} ms`;
  const told = [
    `${phase.padEnd(9)} ${(remainingMs / 1000).toFixed(0).padStart(2)} s left`,
    `p99 ${latency}`,
    ...(outcomes.unreported > 0 ? [] : [`fallback ${share}`]), // the target does not say who decided
    ...(states.length > 0 ? [`breakers: ${states.join(', ')}`] : []),
  ];
  return told.join('  ');
}

/** A path as it can be typed or opened from here. */
export function fromHere(path: string): string {
  const shorter = relative(typedIn, path);
  return oneLine(shorter.startsWith('..') ? path : shorter);
}

export function table(journal: Journal): string {
  const { scenario, seed, driver, experiment, phases, checks } = journal;
  const lines = [
    `${oneLine(scenario)}  seed ${seed}  ${oneLine(driver)} driver`,
    ...indented(experiment.description, 78),
    '',
  ];
  lines.push(
    row(
      ['phase', 'requests', 'p50', 'p99', 'p99.9', 'max', 'control p99', mechanismOf.shared, mechanismOf.local],
      phaseColumns,
    ),
  );
  for (const [name, { requests, latencyMs, controlLatencyMs, mechanism }] of Object.entries(phases)) {
    const times = [latencyMs.p50, latencyMs.p99, latencyMs.p999, latencyMs.max, controlLatencyMs.p99].map(number);
    lines.push(
      row(
        [name, `${requests}`, ...times, `${mechanism[mechanismOf.shared]}`, `${mechanism[mechanismOf.local]}`],
        phaseColumns,
      ),
    );
  }
  lines.push('  latency in ms, from the scheduled send time');
  for (const [name, { errors }] of Object.entries(phases)) {
    const counts = Object.entries(errors).map(([kind, count]) => `${count} ${kind}`);
    if (counts.length > 0) lines.push(...indented(`errors in ${name}: ${counts.join(', ')}`, 78));
  }
  lines.push('');
  lines.push(row(['check', 'phase', 'measured', 'limit', 'unit', 'verdict'], checkColumns));
  for (const check of checks.filter(({ verdict }) => verdict !== 'not applicable')) {
    const figures = [number(check.measured), number(check.limit), check.unit];
    lines.push(row([check.name, check.phase, ...figures, check.verdict], checkColumns));
  }
  for (const check of checks.filter(({ verdict }) => verdict === 'fail' || verdict === 'unknown')) {
    lines.push('', ...indented(`${check.verdict}: ${check.name} (${check.phase}): ${check.detail}`, 78));
  }
  const advice = adviceOn(journal);
  if (advice) lines.push('', ...indented(advice, 78));
  const idle = checks.filter(({ verdict }) => verdict === 'not applicable');
  if (idle.length > 0) {
    const reasons = idle.map(({ name, detail }) => `${name} (${detail})`).join(', ');
    lines.push('', ...indented(`not applicable: ${reasons}`, 78));
  }
  return `${lines.join('\n')}\n`;
}

/** What may help where nothing could be told since all was slow, also what nothing was done to. */
function adviceOn({ verdict, phases, checks }: Journal): string | undefined {
  const limit = checks.find(({ name }) => name === latency.name)?.limit ?? Number.POSITIVE_INFINITY;
  const worst = Math.max(...Object.values(phases).map(({ controlLatencyMs: { p99 } }) => p99 ?? 0));
  if (verdict !== 'unknown' || worst < noisyShare * limit) return undefined;
  return (
    `The control, to which nothing is done, had a p99 of up to ${fixed(worst, 1)} ms: the machine is busy, or the ` +
    'limiter is slow without any fault. Fewer requests per second (--rate, 600 at least) may tell more.'
  );
}

/** One sentence: what decided the verdict. */
export function reasonOf(
  { verdict, phases }: Pick<JudgedRun, 'verdict' | 'phases'>,
  checks: readonly CheckResult[],
): string {
  const decisive = checks.filter((check) => check.verdict === verdict);
  if (verdict !== 'pass') return [...new Set(decisive.map(({ name, phase }) => `${name} (${phase})`))].join(', ');
  const isAllAnswered = Object.values(phases).every(({ requests, answered }) => answered === requests);
  const answered = isAllAnswered ? 'every request answered' : 'every request answered that could be';
  const worst = worstJudged(checks);
  return worst ? `${answered}, worst p99 of any phase ${worst.p99Ms.toFixed(1)} ms` : answered;
}

/** Of the latencies that are judged: those of an instance that its fault made slow are not. */
export function worstJudged(checks: readonly CheckResult[]): { phase: string; p99Ms: number } | undefined {
  return checks
    .flatMap(({ name, phase, measured }) =>
      name === latency.name && measured !== null ? [{ phase, p99Ms: measured }] : [],
    )
    .toSorted((a, b) => b.p99Ms - a.p99Ms)[0];
}

const phaseColumns = [11, -9, -7, -7, -7, -7, -12, -7, -9] as const;
const checkColumns = [18, 10, -10, -10, 18, 9] as const;

/** Pads to the widths; a negative one aligns to the right. */
function row(cells: readonly string[], widths: readonly number[]): string {
  const padded = cells.map(oneLine).map((cell, i) => {
    const width = widths[i] ?? 0;
    return width < 0 ? cell.padStart(-width) : (i > 0 && (widths[i - 1] ?? 0) < 0 ? `  ${cell}` : cell).padEnd(width);
  });
  return `  ${padded.join('')}`.trimEnd();
}

function number(value: number | null): string {
  if (value === null) return '–';
  return Number.isInteger(value) ? String(value) : fixed(value, value < 100 ? 2 : 0);
}

function indented(text: string, width: number): string[] {
  return wrapped(text, width).map((line) => `  ${line}`);
}
