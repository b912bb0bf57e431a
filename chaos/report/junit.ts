// junit.xml: a run for CI servers. A check is a test case; one that cannot tell is an error, since it never passes, and
// one that is not applicable is skipped.
//
// Kept to what both usual schemas allow, Jenkins' junit-10.xsd and the stricter one of Ant's JUnit task: no attributes on
// the root, no time zone in the timestamp, elements in this order.

import type { CheckResult, Finding } from '../checks/check.ts';
import { figure } from './figures.ts';
import type { Journal } from './journal.ts';
import { marginText } from './margin.ts';
import { type Markup, markup } from './markup.ts';
import type { Run } from './run.ts';
import { commandOf, placeOf, verdictSentence } from './story.ts';

export function junitOf(run: Run, journal: Journal): string {
  const { scenario, seed, driver, verdict, checks, duration, start, environment } = journal;
  const count = (wanted: Finding) => checks.filter((check) => check.verdict === wanted).length;
  const properties = { seed: String(seed), driver, verdict, ...environment };
  return markup`<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="${scenario}" package="chaos" id="0" timestamp="${start.slice(0, 19)}" hostname="localhost" tests="${checks.length}" failures="${count('fail')}" errors="${count('unknown')}" skipped="${count('not applicable')}" time="${duration.toFixed(3)}">
    <properties>${Object.entries(properties).map(
      ([name, value]) => markup`
      <property name="${name}" value="${value}"/>`,
    )}
    </properties>${checks.map((check) => testcase(scenario, check))}
    <system-out>${verdict.toUpperCase()} ${scenario}: ${verdictSentence(journal)}
${commandOf(run)}</system-out>
    <system-err>${run.gaps.join('\n')}</system-err>
  </testsuite>
</testsuites>
`.text;
}

function testcase(scenario: string, check: CheckResult): Markup {
  const open = markup`
    <testcase classname="${scenario}" name="${placeOf(check)}" time="0"`;
  if (check.verdict === 'pass') return markup`${open}/>`;
  if (check.verdict === 'not applicable') return markup`${open}><skipped/></testcase>`;
  const { measured, limit, unit, detail } = check;
  const figures = `measured ${measured === null ? 'nothing' : figure(measured)}, limit ${limit === null ? 'none' : figure(limit)} ${unit}, margin ${marginText(check)}`;
  const body = markup`message="${detail}">${figures}`;
  return check.verdict === 'fail'
    ? markup`${open}><failure type="${check.name}" ${body}</failure></testcase>`
    : markup`${open}><error type="unknown" ${body}</error></testcase>`;
}
