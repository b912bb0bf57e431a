// The thread that reads a policies file: each time that it is told a path and options, it answers what the file says.

import { parentPort } from 'node:worker_threads';
import type { PoliciesOptions } from './policies.ts';
import type { WrittenPolicy } from './policies-shape.ts';
import { readPolicies } from './policies-text.ts';

export interface PoliciesQuestion {
  readonly path: string;
  readonly options: PoliciesOptions;
}

/** What the file says, or all that is wrong with it, a line each. */
export type PoliciesReading = readonly WrittenPolicy[] | { readonly mistakes: readonly string[] };

parentPort?.on('message', ({ path, options }: PoliciesQuestion) => {
  const mistakes: string[] = [];
  const written = readPolicies(path, options, mistakes);
  parentPort?.postMessage((written ?? { mistakes }) satisfies PoliciesReading);
});
