// arena.md: the tables, for a document or a comment.

import { plain, tableLines } from '../report/markdown.ts';
import type { Arena } from './arena.ts';
import { columns, conditions, entryFor, glance, legend, rowsOf } from './rows.ts';

export function arenaMdOf(arena: Arena): string {
  const { targets, scenarios } = arena;
  return `${[
    '# Arena',
    '',
    plain(conditions(arena)),
    '',
    ...tableLines(
      ['limiter', ...scenarios],
      targets.map((target) => [target, ...scenarios.map((scenario) => glance(entryFor(arena, target, scenario)))]),
    ),
    '',
    'Each cell: the verdict, and the worst p99 of any phase.',
    '',
    ...legend.map((line) => `- ${plain(line)}`),
    ...scenarios.flatMap((scenario) => [
      '',
      `## ${plain(scenario)}`,
      '',
      ...tableLines(columns, rowsOf(arena, scenario)),
    ]),
  ].join('\n')}\n`;
}
