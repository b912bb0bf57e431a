// `failopen check-config`: whether the service would start with a policies file, or a directory of rules, and why not.

import { statSync } from 'node:fs';
import { sourceSettings } from '../config/source.ts';
import { readSource } from '../config/source-text.ts';

/** What stands there, in a line; or every mistake, each with its place. */
export type Checked = { readonly found: string } | { readonly mistakes: readonly string[] };

/** `isCluster`: as for Redis Cluster, where all limits of one request must have one key. */
export function checkConfig(path: string, isCluster: boolean): Checked {
  const name = statSync(path, { throwIfNoEntry: false })?.isDirectory() ? 'rules' : 'policies';
  const mistakes: string[] = [];
  const written = readSource({ name, path }, { instances: undefined, isCluster, workers: 1 }, mistakes);
  if (!written) return { mistakes: mistakes.map((it) => inPath(it, sourceSettings[name], path)) };
  return { found: `${path} is usable; ${name === 'rules' ? 'domains' : 'policies'}: ${written.length}` };
}

/** A mistake is told of a setting; here, the path says enough. */
function inPath(mistake: string, setting: string, path: string): string {
  return mistake.replace(`${setting} is ${JSON.stringify(path)}, which`, path).replace(`${setting} `, '');
}
