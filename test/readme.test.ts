// What the README lists is what there is. Its table of the environment, its rights in Redis, its override file, its
// pictures and its runbook are compared where the code for them is tested.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checks } from '../chaos/checks/index.ts';
import { scenarios } from '../scenarios/index.ts';
import { decisionHeaders, policyHeader } from '../service/doors/headers.ts';
import { Metrics, WorkersMetrics } from '../service/metrics/metrics.ts';
import { projectDirectory } from './support/lab-processes.ts';

const readme = readFileSync(join(projectDirectory, 'README.md'), 'utf8');

/** The rows of the table with this heading, cell by cell. */
function rowsUnder(...heading: string[]): string[][] {
  const [, rest = ''] = readme.split(`\n| ${heading.join(' | ')} |\n`);
  const lines = rest.split('\n');
  const rows = lines.slice(
    1,
    lines.findIndex((line) => !line.startsWith('|')),
  );
  return rows.map((row) =>
    row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

describe('README.md', () => {
  it('has every scenario with its hypothesis', () => {
    expect(rowsUnder('scenario', 'hypothesis')).toEqual(
      scenarios.map(({ name, hypothesis }) => [`\`${name}\``, hypothesis]),
    );
  });

  it('has every check, in the order of a verdict', () => {
    expect(rowsUnder('check', 'property').map(([name]) => name)).toEqual(checks.map(({ name }) => name));
  });

  it('has every metric that is ours', async () => {
    const metrics = new Metrics({ fallbackKeys: () => 0, breakerStates: () => ['closed'], logLinesDropped: () => 0 });
    const ofWorkers = new WorkersMetrics({ ready: () => 1, logLinesDropped: () => 0 });
    const names = new Set([...(await metrics.counts()), ...(await ofWorkers.all())].map(({ name }) => name));
    const listed = rowsUnder('metric', 'labels', 'is').map(([name = '']) => name.replaceAll('`', ''));
    expect(listed.toSorted()).toEqual([...names].toSorted());
  });

  it('shows the headers in the order in which they are sent', () => {
    const policy = { name: 'default', capacity: 5, refillPerSecond: 0.5 };
    const decision = { allowed: true, limit: 5, remaining: 4, retryAfterMs: 0, resetMs: 2000 } as const;
    const sent = [
      ...policyHeader(policy),
      ...decisionHeaders(policy, { ...decision, mechanism: 'fallback' }, 1795491039e3),
    ];
    const lines = sent.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${sent[i + 1]}`] : []));
    expect(readme).toContain(`\nHTTP/1.1 200 OK\n${lines.join('\n')}\n\`\`\`\n`);
  });
});
