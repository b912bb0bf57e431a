// Two runs side by side: what is the same is quiet, what differs is marked.

import type { CheckResult } from '../../checks/check.ts';
import { mechanismOf } from '../../targets/mechanisms.ts';
import { figure, grouped } from '../figures.ts';
import type { Journal } from '../journal.ts';
import { limitText } from '../margin.ts';
import { type Content, type Markup, markup } from '../markup.ts';
import type { Run } from '../run.ts';
import { verdictSentence } from '../story.ts';
import { chartsOf, cursorBar, scalesOf } from './charts.ts';
import { documentOf } from './document.ts';
import { badge } from './sections.ts';

export interface Side {
  /** Its directory. */
  readonly name: string;
  readonly run: Run;
  readonly journal: Journal;
}

/** Figures closer than this, relative to the larger one, are not worth a mark. */
const noticeableRatio = 0.1;

export function comparisonOf(a: Side, b: Side): string {
  const sides = [a, b] as const;
  const scales = scalesOf(a.run, b.run);
  return documentOf(
    `${a.name} and ${b.name} compared`,
    markup`<main class="comparison">
<header class="hero"><h1>Two runs compared</h1>
<div class="pair">${sides.map(
      ({ name, run, journal }, i) => markup`<div class="side"><h2>${'AB'[i]}: ${name}</h2>
<p>${badge(journal.verdict)} ${verdictSentence(journal)}</p>
${run.gaps.length > 0 && markup`<div class="gaps" role="note"><ul>${run.gaps.map((gap) => markup`<li>${gap}</li>`)}</ul></div>`}</div>`,
    )}</div></header>
<section><h2>Checks</h2><p>Marked with ≠: another verdict, or a figure that differs by a tenth or more.</p>
${table('Checks', ['check', 'limit A', 'limit B', 'A', 'B', 'B − A', 'verdict A', 'verdict B'], checkRows(a, b))}</section>
<section><h2>Phases</h2>
${table('Phases', ['phase', 'figure', 'A', 'B', 'B − A'], phaseRows(a, b))}</section>
<section><h2>Settings and environment</h2>
${table('Settings and environment', ['name', 'A', 'B'], settingRows(a, b))}</section>
<section><h2>Over time</h2>
${cursorBar(sides.map((_, i) => 'AB'.charAt(i)))}
<div class="pair charts">${sides.map(
      ({ name, run, journal }, i) =>
        markup`<div class="side"><h3>${'AB'[i]}: ${name}</h3>${chartsOf(run, journal, scales, `${'ab'[i]}-`)}</div>`,
    )}</div></section>
</main>`,
  );
}

interface Row {
  readonly differs: boolean;
  readonly cells: readonly Content[];
}

function table(caption: string, head: readonly string[], rows: readonly Row[]): Markup {
  return markup`<div class="scroll" role="region" tabindex="0" aria-label="${caption}"><table>
<thead><tr><th scope="col"><span class="unseen">differs</span></th>${head.map((cell) => markup`<th scope="col">${cell}</th>`)}</tr></thead>
<tbody>${rows.map(
    ({ differs, cells }) =>
      markup`<tr class="${differs ? 'differs' : 'same'}"><td>${differs ? '≠' : ''}</td>${cells.map((cell) => markup`<td>${cell}</td>`)}</tr>`,
  )}</tbody></table></div>`;
}

function checkRows(a: Side, b: Side): Row[] {
  const id = ({ name, phase }: CheckResult) => `${name} (${phase})`;
  const ids = [...new Set([...a.journal.checks, ...b.journal.checks].map(id))];
  return ids.map((wanted) => {
    const [inA, inB] = [a, b].map(({ journal }) => journal.checks.find((check) => id(check) === wanted));
    const differs = inA?.verdict !== inB?.verdict || differ(inA?.measured, inB?.measured);
    return {
      differs,
      cells: [
        wanted,
        inA ? limitText(inA) : '–',
        inB ? limitText(inB) : '–',
        ...delta(inA?.measured, inB?.measured),
        inA ? badge(inA.verdict) : '–',
        inB ? badge(inB.verdict) : '–',
      ],
    };
  });
}

function phaseRows(a: Side, b: Side): Row[] {
  const names = [...new Set([a, b].flatMap(({ journal }) => Object.keys(journal.phases)))];
  return names.flatMap((name) => {
    const [inA, inB] = [a.journal.phases[name], b.journal.phases[name]];
    const row = (label: string, x: number | null | undefined, y: number | null | undefined): Row => ({
      differs: differ(x, y),
      cells: [name, label, ...delta(x, y)],
    });
    return [
      row('requests', inA?.requests, inB?.requests),
      row('p50 ms', inA?.latencyMs.p50, inB?.latencyMs.p50),
      row('p99 ms', inA?.latencyMs.p99, inB?.latencyMs.p99),
      row('control p99 ms', inA?.controlLatencyMs.p99, inB?.controlLatencyMs.p99),
      row('by the fallback', inA?.mechanism[mechanismOf.local], inB?.mechanism[mechanismOf.local]),
    ];
  });
}

function settingRows(a: Side, b: Side): Row[] {
  const settings = ({ run: { history } }: Side): Record<string, string> => ({
    scenario: history.run.scenario,
    seed: String(history.run.seed),
    driver: history.run.driver,
    rate: grouped(history.run.rate),
    ...history.run.environment,
    ...Object.fromEntries(Object.entries(history.run.bounds).map(([name, value]) => [name, String(value)])),
  });
  const [inA, inB] = [settings(a), settings(b)];
  return [...new Set([...Object.keys(inA), ...Object.keys(inB)])].map((name) => ({
    differs: inA[name] !== inB[name],
    cells: [name, inA[name] ?? '–', inB[name] ?? '–'],
  }));
}

function delta(a: number | null | undefined, b: number | null | undefined): [string, string, string] {
  const both = typeof a === 'number' && typeof b === 'number';
  const sign = both && b > a ? '+' : '';
  return [figure(a ?? null), figure(b ?? null), both ? `${sign}${figure(b - a)}` : '–'];
}

function differ(a: number | null | undefined, b: number | null | undefined): boolean {
  if (typeof a !== 'number' || typeof b !== 'number') return (a ?? null) !== (b ?? null);
  if (!Number.isFinite(a) || !Number.isFinite(b)) return a !== b;
  return Math.abs(a - b) > noticeableRatio * Math.max(Math.abs(a), Math.abs(b));
}
