// `npm run dashboards` writes the rule files with this; a test says that they are up to date.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { deployed, lab, type RuleGroup, ruleGroups } from './rules.ts';

/** Path, relative to this directory, and content of every generated file. */
export const ruleFiles: ReadonlyMap<string, string> = new Map([
  ['rules.yml', ruleFile(ruleGroups(deployed))],
  ['rules-lab.yml', ruleFile(ruleGroups(lab))],
]);

export function ruleFile(groups: readonly RuleGroup[]): string {
  return `# Generated from rules.ts by npm run dashboards.\n${stringify({ groups }, { lineWidth: 0 })}`;
}

export function writeRuleFiles(): void {
  for (const [path, text] of ruleFiles) writeFileSync(join(import.meta.dirname, path), text);
}
