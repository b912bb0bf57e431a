// Programs of somebody else's, which are measured where they are installed.

import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where it is; undefined where it is not installed. */
export function onPath(program: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((directory) => join(directory, program))
    .find((path) => existsSync(path));
}
