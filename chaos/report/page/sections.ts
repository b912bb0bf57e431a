// The parts of a page in words and tables: verdict, story, checks, events, environment, how to see it again.

import type { CheckResult, Finding } from '../../checks/check.ts';
import { tableOf } from '../charts/chart.ts';
import { errorTableOf } from '../error-table.ts';
import { figure, seconds, unbroken } from '../figures.ts';
import type { Journal } from '../journal.ts';
import { limitText, marginText } from '../margin.ts';
import { type Content, type Markup, markup } from '../markup.ts';
import type { Run } from '../run.ts';
import { commandOf, isStorm, storyOf, verdictSentence, worstFirst } from '../story.ts';

export function badge(verdict: Finding): Markup {
  const sign = { pass: '✓', fail: '✗', unknown: '?', 'not applicable': '–' }[verdict];
  return markup`<span class="badge ${verdict.replace(' ', '-')}"><span aria-hidden="true">${sign}</span> <span class="word">${verdict}</span></span>`;
}

export function hero(run: Run, journal: Journal): Markup {
  const { scenario, verdict, seed, driver, start, duration, experiment } = journal;
  const { broken, happened, promise } = storyOf(run, journal);
  const when = start.slice(0, 19).replace('T', ' ');
  return markup`<header class="hero ${verdict}">
<p class="kicker">${badge(verdict)} <span>scenario <b>${scenario}</b> · seed ${seed} · ${driver} driver · ${when} UTC · ${unbroken(seconds(duration * 1000, 1))}</span></p>
<h1>${unbroken(verdictSentence(journal))}</h1>
${run.gaps.length > 0 && markup`<div class="gaps" role="note"><p><b>Not all of this run could be read.</b></p><ul>${run.gaps.map((gap) => markup`<li>${gap}</li>`)}</ul></div>`}
<dl class="story">
<div><dt>What was broken</dt><dd>${unbroken(broken)}</dd></div>
<div><dt>What happened</dt><dd>${unbroken(happened.join(' ')) || 'Nothing that was recorded.'}</dd></div>
<div><dt>Did the promise hold?</dt><dd>${unbroken(promise)}</dd></div>
</dl>
<p class="hypothesis"><b>Hypothesis:</b> ${unbroken(experiment.description)}</p>
</header>`;
}

export function checksTable(checks: readonly CheckResult[]): Markup {
  return markup`<div class="scroll" role="region" tabindex="0" aria-label="Table of checks"><table class="checks">
<thead><tr><th scope="col">verdict</th><th scope="col">check</th><th scope="col">measured</th><th scope="col">limit</th><th scope="col">margin</th><th scope="col">unit</th></tr></thead>
${worstFirst(checks).map(
  (check) => markup`<tbody class="${check.verdict.replace(' ', '-')}">
<tr><td>${badge(check.verdict)}</td><th scope="row">${check.name} <span class="phase">${check.phase}</span></th><td>${figure(check.measured)}</td><td>${unbroken(limitText(check))}</td><td>${unbroken(marginText(check))}</td><td>${check.unit}</td></tr>
<tr class="witness"><td></td><td colspan="5">${unbroken(check.detail)}</td></tr>
</tbody>`,
)}</table></div>`;
}

/** Nothing where each request was decided. */
export function errorsTable(journal: Journal): Content {
  const errors = errorTableOf(journal);
  if (!errors) return false;
  return markup`<section aria-labelledby="errors-title"><h2 id="errors-title">Requests without a decision</h2>
<p>Those that a fault excuses are among them.</p>
${tableOf({ caption: 'By phase and kind', ...errors })}</section>`;
}

export function environmentTables({ history: { run }, described: isDescribed }: Run): Markup {
  const rows = (values: object): Content[][] => Object.entries(values).map(([name, value]) => [name, String(value)]);
  if (!isDescribed) return markup`<p>Not known: the line that tells it is missing.</p>`;
  return markup`<div class="pair">
${tableOf({ caption: 'Programs and machine', head: ['part', 'version'], rows: rows(run.environment) })}
${tableOf({ caption: 'What the limiter was held to', head: ['limit', 'value'], rows: rows(run.bounds) })}
</div>`;
}

export function reproduce(run: Run): Markup {
  if (!run.described) return markup`<p>Not known: the line that tells what was run is missing.</p>`;
  const how = isStorm(run.history.run)
    ? 'The run tells its faults and its load: the same again, where RUN is the directory of this report.'
    : 'The seed fixes the schedule: the same requests for the same keys at the same instants.';
  return markup`<p>${how}</p>
<pre><code>${commandOf(run)}</code></pre>`;
}
