// What is wrong is caught, by the check that should, from the size on that the table in JUDGE.md states.

import { describe, expect, it } from 'vitest';
import type { Mutation } from '../../support/mutation.ts';
import { judged, mutations } from '../../support/mutations.ts';

const seeds = [1, 2];

/** How often it is caught, and what fails beside it. */
function caught(mutation: Mutation, size: number) {
  const results = seeds.map((seed) => judged(mutation, seed, size));
  return { caught: results.filter((it) => it.caught).length, unrelated: results.flatMap((it) => it.unrelated) };
}

describe('the judge', () => {
  it.each(mutations.map((it) => [it.kind.replace('{}', String(it.smallest)), it] as const))(
    'catches %s',
    (_, mutation) => {
      expect(caught(mutation, mutation.smallest)).toEqual({ caught: seeds.length, unrelated: [] });
    },
  );

  it.each(mutations.flatMap((it) => (it.sizes.at(-1) === it.smallest ? [] : [[it.kind, it] as const])))(
    'catches the largest of: %s',
    (_, mutation) => {
      expect(caught(mutation, mutation.sizes.at(-1) as number).caught).toBe(seeds.length);
    },
  );

  it('would be told a size too large: the next smaller one of each kind is not caught in every run', () => {
    const tooLarge = mutations.filter((mutation) => {
      const smaller = mutation.sizes[mutation.sizes.indexOf(mutation.smallest) - 1];
      return smaller !== undefined && caught(mutation, smaller).caught === seeds.length;
    });
    expect(tooLarge.map(({ kind }) => kind)).toEqual([]);
  });
});
