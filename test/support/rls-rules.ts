// Rules of Envoy's door, as files in a directory, which goes when the test is over.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { readRules } from '../../service/config/rls/directory.ts';
import { rulesOf } from '../../service/config/rls/rules.ts';
import type { RlsRules } from '../../service/doors/rls/rules.ts';

/** Files of two domains, with a dozen rules. */
export const exampleRules = join(import.meta.dirname, 'rls-rules');

export function rulesDirectory(files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'failopen-rules-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return directory;
}

/** What the files of a directory say, and what is wrong with them. */
export function rulesIn(
  directory: string,
  options: { readonly instances?: number; readonly workers?: number } = {},
): { readonly rules: RlsRules; readonly mistakes: readonly string[] } {
  const mistakes: string[] = [];
  const written = readRules(directory, mistakes);
  const { instances, workers = 1 } = options;
  return { rules: rulesOf(written ?? [], { instances, workers, isCluster: false }), mistakes };
}
