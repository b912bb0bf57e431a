// The thread that reads a source: each time that it is told one, it answers what stands there.

import { parentPort } from 'node:worker_threads';
import type { PoliciesOptions } from './policies.ts';
import type { Source, SourceName, Written } from './source.ts';
import { readSource } from './source-text.ts';

export interface SourceQuestion extends Source {
  readonly options: PoliciesOptions;
}

/** What the source says, or all that is wrong with it, a line each. */
export type Reading = NonNullable<Written[SourceName]> | { readonly mistakes: readonly string[] };

parentPort?.on('message', (question: SourceQuestion) => {
  const mistakes: string[] = [];
  const written = readSource(question, question.options, mistakes);
  parentPort?.postMessage((written ?? { mistakes }) satisfies Reading);
});
