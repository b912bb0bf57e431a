import { expect, it } from 'vitest';
import { queryIn } from '../../../service/doors/request-target.ts';

it.each([
  ['/', {}],
  ['/?', {}],
  ['/?a=1&b=2#c=3', { a: '1', b: '2' }],
  ['/?a=1&b=&a=2&a=3', { a: ['1', '2', '3'], b: '' }],
  ['/?__proto__=1&__proto__=2&constructor=3', { ['__proto__']: ['1', '2'], constructor: '3' }],
])('the query of %s', (target, query) => {
  expect(Object.entries(queryIn(target))).toEqual(Object.entries(query));
});

it('is read as far as 8,192 characters: no parameter of ours needs more', () => {
  const b = (length: number) => Object.entries(queryIn(`/?${'a'.repeat(length)}&b=1`)).at(1);
  expect([b(8188), b(8189), b(30_000)]).toEqual([['b', '1'], ['b', ''], undefined]);
});

it('of one name eight thousand times is read in little more time than of as many names', () => {
  const msFor = (target: string) => {
    const startMs = performance.now();
    for (let i = 0; i < 10; i++) queryIn(target);
    return performance.now() - startMs;
  };
  const names = `/?${Array.from({ length: 8000 }, (_, i) => i.toString(36)).join('&')}`;
  expect(msFor(`/?${'a&'.repeat(8000)}`)).toBeLessThan(20 * msFor(names));
});
