// arena.html: one page to be forwarded. It links to the report of each run, which stands in a directory beside it.

import { counted, unbroken } from '../report/figures.ts';
import { type Content, type Markup, markup } from '../report/markup.ts';
import { documentOf } from '../report/page/document.ts';
import { badge } from '../report/page/sections.ts';
import type { Arena, Entry } from './arena.ts';
import { columns, conditions, entryFor, glance, legend, rowsOf } from './rows.ts';

export function arenaPageOf(arena: Arena): string {
  const { targets, scenarios } = arena;
  return documentOf(
    `Arena: ${counted(targets.length, 'limiter')}, ${counted(scenarios.length, 'scenario')}`,
    markup`<main class="comparison">
<header class="hero"><h1>${counted(targets.length, 'rate limiter')} in ${counted(scenarios.length, 'scenario')}</h1>
<p>Each limiter had the same requests for the same keys at the same instants, and each was held to its own stated bounds.</p>
<p>${unbroken(conditions(arena))}</p></header>
<section aria-labelledby="overview"><h2 id="overview">At a glance</h2>
<p>The verdict, and the worst p99 of any phase. A cell leads to the report of its run.</p>
${table(
  'Verdicts',
  ['limiter', ...scenarios],
  targets.map((target) => [target, ...scenarios.map((scenario) => cell(entryFor(arena, target, scenario)))]),
)}</section>
<section aria-labelledby="legend"><h2 id="legend">What the columns mean</h2>
<ul>${legend.map((line) => markup`<li>${unbroken(line)}</li>`)}</ul></section>
${scenarios.map(
  (scenario) => markup`<section aria-labelledby="in-${scenario}"><h2 id="in-${scenario}">${scenario}</h2>
${table(scenario, columns, rowsOf(arena, scenario))}</section>`,
)}</main>`,
  );
}

function cell(entry: Entry | undefined): Content {
  if (entry === undefined || 'error' in entry) return glance(entry);
  const { directory, verdict } = entry;
  const [, ...figures] = glance(entry).split(', ');
  return markup`${badge(verdict)} <a href="${encodeURIComponent(directory)}/report.html">${unbroken(figures.join(', '))}</a>`;
}

function table(caption: string, head: readonly string[], rows: readonly (readonly Content[])[]): Markup {
  return markup`<div class="scroll" role="region" tabindex="0" aria-label="${caption}"><table>
<thead><tr>${head.map((name) => markup`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows.map(
    ([first, ...others]) =>
      markup`<tr><th scope="row">${first}</th>${others.map((content) => markup`<td>${content}</td>`)}</tr>`,
  )}</tbody></table></div>`;
}
