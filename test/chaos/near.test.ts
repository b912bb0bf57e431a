import fc from 'fast-check';
import { expect, it } from 'vitest';
import { didYouMean } from '../../chaos/near.ts';
import { scenarios } from '../../scenarios/index.ts';

const names = scenarios.map(({ name }) => name);

it.each([
  ['partiton', 'partition'],
  ['partitoin', 'partition'],
  ['Redis-Kill', 'redis-kill'],
  ['redis_kill', 'redis-kill'],
  ['latency1', 'latency-1'],
])('%s is near %s', (typed, name) => {
  expect(didYouMean(typed, names)).toBe(`; did you mean ${name}?`);
});

it.each(['earthquake', '', 'x', '__proto__', 'p'.repeat(100_000)])('%.20s is near no name', (typed) => {
  expect(didYouMean(typed, names)).toBe('');
});

it('a name of which one letter is missing is near, whichever it is', () => {
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.nat(), (name, n) => {
      const i = n % name.length;
      const typed = name.slice(0, i) + name.slice(i + 1);
      expect(didYouMean(typed, names)).toMatch(/^; did you mean [a-z0-9-]+\?$/);
    }),
  );
});
