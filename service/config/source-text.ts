// What stands in a source. What reads YAML and what reads schemas is large, so this is loaded only where there is a source:
// without one, a start need not wait for it.

import type { PoliciesOptions } from './policies.ts';
import { readPolicies } from './policies-text.ts';
import { readRules } from './rls/directory.ts';
import type { Source, SourceName, Written } from './source.ts';

/** Undefined when there are mistakes, which are added to `mistakes`, a line each. */
export function readSource({ name, path }: Source, options: PoliciesOptions, mistakes: string[]): Written[SourceName] {
  return name === 'policies' ? readPolicies(path, options, mistakes) : readRules(path, mistakes);
}
