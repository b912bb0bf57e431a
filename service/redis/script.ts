// A Lua script of this folder, as Redis knows it: by the hash of its text.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

export interface Script {
  readonly text: string;
  readonly sha: string;
}

/** The script in a file of this folder. */
export function scriptIn(file: string): Script {
  const text = readFileSync(new URL(file, import.meta.url), 'utf8');
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}
