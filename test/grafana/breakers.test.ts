// What the panels on breakers show of instances that have several of them: one for every worker and Redis master. Their
// queries are asked by promtool.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { substituted } from '../../grafana/variables.ts';
import { ruleFile } from '../../prometheus/generate.ts';
import { deployed, limiterJob, ruleGroups } from '../../prometheus/rules.ts';
import { committedDashboards, queriesOf } from '../support/dashboards.ts';
import { temporaryDirectory } from '../support/lab-processes.ts';

/** Breakers in each state. */
type Breakers = Readonly<Record<'closed' | 'half-open' | 'open', number>>;

const queries = committedDashboards().flatMap(queriesOf);
const well = { closed: 4, 'half-open': 0, open: 0 };
const cutOff = { closed: 0, 'half-open': 0, open: 4 };
/** As promtool prints them; -0 is not 0 to it. */
const sampleIn = /\{([^}]*)\} (\S+?)(?=, |$)/g;

/** What every query of the panels with this title gives, by instance; '' for one that is over all of them. */
function shown(title: string, instances: readonly Breakers[]): Readonly<Record<string, number>>[] {
  using directory = temporaryDirectory();
  const series = instances.flatMap((breakers, i) =>
    Object.entries(breakers).map(([state, value]) => ({
      series: `rate_limit_breaker_state{job="${limiterJob}", instance="limiter-${i + 1}", state="${state}"}`,
      values: `${value}x10`,
    })),
  );
  const exprs = queries.filter(({ panel }) => panel === title).map(({ expr }) => substituted(expr, limiterJob));
  const asked = (expr: string) => ({ expr, eval_time: '1m', exp_samples: [{ labels: 'never', value: 0 }] });
  const tests = [{ interval: '15s', input_series: series, promql_expr_test: exprs.map(asked) }];
  writeFileSync(join(directory.path, 'rules.yml'), ruleFile(ruleGroups(deployed)));
  const file = join(directory.path, 'test.yml');
  writeFileSync(file, stringify({ rule_files: ['rules.yml'], evaluation_interval: '15s', tests }));
  return [...failures(file).matchAll(/^ *got: ?(.*)$/gm)].map(([, samples = '']) =>
    Object.fromEntries(
      [...samples.matchAll(sampleIn)].map(([, labels = '', value]) => [
        /instance="([^"]*)"/.exec(labels)?.[1] ?? '',
        Number(value) + 0,
      ]),
    ),
  );
}

/** promtool tells what it got only of a test that fails. */
function failures(file: string): string {
  try {
    return execFileSync('promtool', ['test', 'rules', file], { encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return `${stdout}${stderr}`;
  }
}

describe('the number of breakers that are not closed', () => {
  it('is none when all is well, with several of each instance too', () => {
    expect(shown('Breakers not closed', [well, well])).toEqual([{ '': 0 }]);
  });

  it('counts those that are open and those that are half-open', () => {
    expect(shown('Breakers not closed', [{ closed: 1, 'half-open': 1, open: 2 }, well])).toEqual([{ '': 3 }]);
  });
});

describe('the state of an instance’s breakers', () => {
  it('is that of the worst, on both dashboards that show it', () => {
    const instances = [
      well,
      { closed: 3, 'half-open': 1, open: 0 },
      { closed: 3, 'half-open': 0, open: 1 },
      { closed: 0, 'half-open': 2, open: 2 },
      cutOff,
    ];
    const worst = { 'limiter-1': 0, 'limiter-2': 1, 'limiter-3': 2, 'limiter-4': 2, 'limiter-5': 2 };
    expect(shown('Breaker', instances)).toEqual([worst, worst]);
  });
});

describe('the number of instances in the minority', () => {
  it.each([
    ['none when all agree', [well, well, { closed: 1, 'half-open': 0, open: 0 }], 0],
    ['none when all are cut off', [cutOff, cutOff, cutOff], 0],
    ['none when most are cut off', [cutOff, cutOff, well], 0],
    ['one when one is cut off', [cutOff, well, well], 1],
    ['one when one cannot reach one of the masters', [{ closed: 2, 'half-open': 0, open: 1 }, well, well], 1],
  ] as const)('is %s', (_, instances, count) => {
    expect(shown('In the minority', instances)).toEqual([{ '': count }]);
  });
});
