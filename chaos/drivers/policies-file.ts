// The policies file of a run in which the limiter is told what to answer without its store.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { boundsOf } from '../bounds.ts';
import type { WithoutStore } from '../scenario.ts';
import { policiesText, policiesVariable, replacedByPolicies } from '../targets/policies.ts';

type Settings = Readonly<Record<string, string>>;

/** Writes it into the directory. Returns the settings with which an instance reads it. */
export async function withPoliciesFile(
  directory: string,
  settings: Settings,
  withoutStore: WithoutStore,
): Promise<Settings> {
  const file = join(directory, 'policies.json');
  await writeFile(file, policiesText(withoutStore, boundsOf(settings)));
  const others = Object.entries(settings).filter(([name]) => !replacedByPolicies.includes(name));
  return { ...Object.fromEntries(others), [policiesVariable]: file };
}
