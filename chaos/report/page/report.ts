// report.html: one run, in the order in which it is read.

import { counted } from '../figures.ts';
import type { Journal } from '../journal.ts';
import { markup } from '../markup.ts';
import type { Run } from '../run.ts';
import { chartsOf, cursorBar } from './charts.ts';
import { documentOf } from './document.ts';
import { eventList } from './event-list.ts';
import { checksTable, environmentTables, errorsTable, hero, reproduce } from './sections.ts';

export function reportOf(run: Run, journal: Journal): string {
  const { verdict, scenario, seed, checks } = journal;
  return documentOf(
    `${verdict.toUpperCase()} ${scenario}, seed ${seed}`,
    markup`<main>
${hero(run, journal)}
<section aria-labelledby="checks-title"><h2 id="checks-title">Checks</h2>
<p>${counted(checks.length, 'check')}, those that failed first, each with its witness.</p>
${checksTable(checks)}</section>
${errorsTable(journal)}
<section aria-labelledby="charts-title"><h2 id="charts-title">What happened, over time</h2>
${cursorBar([scenario])}
${chartsOf(run, journal)}</section>
<section aria-labelledby="events-title"><h2 id="events-title">Events</h2>
${eventList(run)}</section>
<section aria-labelledby="environment-title"><h2 id="environment-title">Environment</h2>
${environmentTables(run)}</section>
<section aria-labelledby="reproduce-title"><h2 id="reproduce-title">See it again</h2>
${reproduce(run)}</section>
</main>`,
  );
}
