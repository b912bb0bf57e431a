// summary.md: a run as a comment on a pull request.

import type { Finding } from '../checks/check.ts';
import { oneLine } from '../printable.ts';
import { mechanismOf } from '../targets/mechanisms.ts';
import { errorTableOf } from './error-table.ts';
import { figure, grouped } from './figures.ts';
import type { Journal } from './journal.ts';
import { limitText, marginText } from './margin.ts';
import { plain, tableLines } from './markdown.ts';
import type { Run } from './run.ts';
import { commandOf, placeOf, storyOf, verdictSentence, worstFirst } from './story.ts';

const signs: Readonly<Record<Finding, string>> = {
  pass: '✅ pass',
  fail: '❌ fail',
  unknown: '❔ unknown',
  'not applicable': '➖ not applicable',
};

export function summaryMdOf(run: Run, journal: Journal): string {
  const { scenario, verdict, checks, phases, experiment } = journal;
  const story = storyOf(run, journal);
  const errors = errorTableOf(journal);
  const lines = [
    `### ${signs[verdict]}: ${plain(scenario)}`,
    '',
    plain(verdictSentence(journal)),
    '',
    `> ${plain(experiment.description)}`,
    '',
    `- **What was broken:** ${plain(story.broken)}`,
    `- **What happened:** ${plain(story.happened.join(' ') || 'Nothing that was recorded.')}`,
    `- **Did the promise hold?** ${plain(story.promise)}`,
    ...run.gaps.map((gap) => `- **Missing:** ${plain(gap)}`),
    '',
    ...tableLines(
      ['phase', 'requests', 'answered', 'p50 ms', 'p99 ms', 'control p99 ms', mechanismOf.shared, mechanismOf.local],
      Object.entries(phases).map(([name, phase]) => [
        name,
        grouped(phase.requests),
        grouped(phase.answered),
        figure(phase.latencyMs.p50),
        figure(phase.latencyMs.p99),
        figure(phase.controlLatencyMs.p99),
        grouped(phase.mechanism[mechanismOf.shared]),
        grouped(phase.mechanism[mechanismOf.local]),
      ]),
    ),
    '',
    ...(errors ? ['Requests without a decision:', '', ...tableLines(errors.head, errors.rows), ''] : []),
    '<details><summary>Checks</summary>',
    '',
    ...tableLines(
      ['verdict', 'check', 'measured', 'limit', 'margin', 'unit', 'witness'],
      worstFirst(checks).map((check) => [
        signs[check.verdict],
        placeOf(check),
        figure(check.measured),
        limitText(check),
        marginText(check),
        check.unit,
        check.detail,
      ]),
    ),
    '',
    '</details>',
    '',
    '```sh',
    oneLine(commandOf(run)),
    '```',
  ];
  return `${lines.join('\n')}\n`;
}
