// Which files of a directory hold rules: those of `*.yaml` and `*.yml` that are not hidden, in the order of their names.

import { readdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Their paths. Rejects where the directory cannot be read. */
export async function rulesFilesIn(directory: string): Promise<readonly string[]> {
  return pathsOf(directory, await readdir(directory));
}

export function rulesFilesInSync(directory: string): readonly string[] {
  return pathsOf(directory, readdirSync(directory));
}

function pathsOf(directory: string, names: readonly string[]): readonly string[] {
  return names
    .filter((name) => /^[^.].*\.ya?ml$/.test(name))
    .sort()
    .map((name) => join(directory, name));
}
