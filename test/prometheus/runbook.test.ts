import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type AlertingRule, deployed, lab, ruleGroups } from '../../prometheus/rules.ts';
import { projectDirectory } from '../support/lab-processes.ts';
import { type Section, sectionsOf } from '../support/markdown.ts';

const alertsOf = (windows: typeof deployed): AlertingRule[] =>
  ruleGroups(windows).flatMap(({ rules }) => rules.flatMap((rule) => ('alert' in rule ? [rule] : [])));
const page = 'prometheus/README.md';
const sections = sectionsOf(readFileSync(join(projectDirectory, page), 'utf8'));

/** The alerts whose link leads to no section that is about them. */
function lost(alerts: readonly AlertingRule[], among: readonly Section[]): string[] {
  return alerts
    .filter(({ alert, annotations }) => {
      const [file, anchor] = annotations.runbook_url.split('#');
      const section = among.find(({ slug }) => slug === anchor);
      return file !== page || section?.title !== alert || section.text.trim() === '';
    })
    .map(({ alert }) => alert);
}

describe('the runbook', () => {
  it('has a section behind the link of every alert, in a deployment and in the lab', () => {
    expect(lost([...alertsOf(deployed), ...alertsOf(lab)], sections)).toEqual([]);
  });

  it('has a section for nothing else', () => {
    const start = sections.findIndex(({ title }) => title === 'Runbook');
    const level = sections[start]?.level ?? 0;
    const after = sections.slice(start + 1);
    const end = after.findIndex((section) => section.level <= level);
    const own = after.slice(0, end === -1 ? undefined : end).map(({ title }) => title);
    expect(own.sort()).toEqual([...new Set(alertsOf(deployed).map(({ alert }) => alert))].sort());
  });

  it('would be caught without a section, with an empty one, and with one that is named like another', () => {
    const alerts = alertsOf(deployed).slice(0, 1);
    const named = (text: string) => lost(alerts, sectionsOf(text));
    expect(named('## RateLimiterFailingOpen\n\nLook at Redis.\n')).toEqual([]);
    expect(named('# Runbook\n')).toEqual(['RateLimiterFailingOpen']);
    expect(named('## RateLimiterFailingOpen\n\n## Next\n\nText.\n')).toEqual(['RateLimiterFailingOpen']);
    expect(named('## RateLimiter FailingOpen\n\nText.\n')).toEqual(['RateLimiterFailingOpen']);
  });
});

describe('the anchors of a heading', () => {
  it('are GitHub’s: lower case, punctuation dropped, spaces as hyphens, repetitions numbered, none in code', () => {
    const text = '# A `p99` of 9 ms, really!\n```sh\n# no heading\n```\n## What-is_it?\n## What-is_it?\n';
    expect(sectionsOf(text).map(({ slug }) => slug)).toEqual(['a-p99-of-9-ms-really', 'what-is_it', 'what-is_it-1']);
  });
});
