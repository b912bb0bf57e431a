// The parts of a page in words and tables: verdict, story, checks, events, environment, how to see it again.

import type { CheckResult, Finding } from '../../checks/check.ts';
import type { BreakerEvent, FailoverEvent, FaultEvent, ProbeEvent } from '../../history.ts';
import { tableOf } from '../charts/chart.ts';
import { counted, figure, seconds, unbroken } from '../figures.ts';
import type { Journal } from '../journal.ts';
import { limitText, marginText } from '../margin.ts';
import { type Content, type Markup, markup } from '../markup.ts';
import type { Run } from '../run.ts';
import { commandOf, storyOf, verdictSentence, worstFirst } from '../story.ts';

const eventsMax = 300;

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

export function eventList({ history }: Run): Markup {
  const told = [
    ...history.phases.map(({ name, startMs }) => ({ atMs: startMs, kind: 'phase', text: `${name} begins` })),
    ...[...history.faults, ...history.breaker, ...(history.failover ? [history.failover] : [])].map(described),
    ...pings(history.probes),
  ].sort((a, b) => a.atMs - b.atMs);
  const rows = told.slice(0, eventsMax).map(({ atMs, kind, text }): Content[] => [seconds(atMs), kind, text]);
  const more = told.length - rows.length;
  return markup`${tableOf({ caption: 'Faults, phases, breakers, and the PINGs of the lab', head: ['at', 'what', 'event'], rows })}
${more > 0 && markup`<p>${counted(more, 'later event')} not shown; they are in events.ndjson.</p>`}`;
}

interface Told {
  readonly atMs: number;
  readonly kind: string;
  readonly text: string;
}

function described(event: FaultEvent | BreakerEvent | FailoverEvent): Told {
  if (event.type === 'breaker') {
    const of = event.shard === undefined ? event.instance : `${event.instance} for ${event.shard}`;
    return { atMs: event.atMs, kind: 'breaker', text: `${of}: ${event.from} to ${event.to}` };
  }
  if (event.type === 'failover') {
    return { atMs: event.endMs, kind: 'failover', text: `${event.to} has taken the place of ${event.from}` };
  }
  const done = event.action === 'inject' ? 'put on' : 'taken off';
  const text = `${event.fault} ${done} ${event.target}, within ${figure(event.endMs - event.beginMs)} ms`;
  return { atMs: event.beginMs, kind: 'fault', text };
}

/** One line for all in a row that saw the same through one link. */
function pings(probes: readonly ProbeEvent[]): Told[] {
  return [...Map.groupBy(probes, ({ instance }) => instance).values()].flatMap((ofInstance) => {
    const rows: ProbeEvent[][] = [];
    for (const probe of ofInstance) {
      const last = rows.at(-1)?.[0];
      if (last && last.seen === probe.seen && last.expected === probe.expected) rows.at(-1)?.push(probe);
      else rows.push([probe]);
    }
    return rows.flatMap((alike): Told[] => {
      const [first, last] = [alike[0], alike.at(-1)];
      if (!first || !last) return [];
      const odd = first.seen === first.expected ? '' : `; expected: ${first.expected}`;
      const more = alike.length > 1 ? `; ${alike.length - 1} more alike until ${seconds(last.atMs)}` : '';
      return [
        { atMs: first.atMs, kind: 'ping', text: `${first.instance}: ${first.seen}, ${first.detail}${odd}${more}` },
      ];
    });
  });
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
  return markup`<p>The seed fixes the schedule: the same requests for the same keys at the same instants.</p>
<pre class="scroll" tabindex="0" role="region" aria-label="Command"><code>${commandOf(run)}</code></pre>`;
}
