// Whether each key had a fallback bucket of its own. Where there were more keys than an instance keeps buckets for, strangers
// share one: what it says of one key then depends on others, and no answer to that key tells of them.

import type { History } from '../history.ts';
import type { Source } from './sources.ts';

/** Keys of the generator's warm-up, which an instance may remember too. */
const warmUpKeys = 100;

/** Whether there were more keys than an instance keeps fallback buckets for. */
export function isCrowded({ answers, run }: History): boolean {
  const { fallbackKeysMax = Number.POSITIVE_INFINITY } = run.bounds;
  return new Set(answers.map(({ key }) => key)).size + warmUpKeys > fallbackKeysMax;
}

/** Those that one key alone has. */
export function unsharedOf(history: History, sources: readonly Source[]): readonly Source[] {
  return isCrowded(history) ? sources.filter(({ isFallback }) => !isFallback) : sources;
}
