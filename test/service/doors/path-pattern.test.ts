import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodedOrNone,
  matchPath,
  mayMeet,
  type PathPattern,
  pathPatternOf,
  segmentsOf,
} from '../../../service/doors/path-pattern.ts';

const patternOf = (text: string) => pathPatternOf(text) as PathPattern;
const match = (pattern: string, url: string) => matchPath(patternOf(pattern), segmentsOf(url));

describe('a path pattern', () => {
  it.each([
    '',
    'search',
    '/a*',
    '/*/b',
    '/:',
    '/:1',
    '/:id/:id',
    '/a b',
    '/a?b',
    '/a#b',
    '/**',
    '/x/../y',
    '/.',
    '/a/%2e%2E',
    '/a%',
    '/a%2',
    '/%ff',
    '/a\\b',
  ])('is not %j', (text) => {
    expect(pathPatternOf(text)).toBeUndefined();
  });

  it('is for one path, or with * for all that is below it, itself too', () => {
    expect(['/', '/?a=1', '/b'].map((url) => match('/', url))).toEqual([{}, {}, undefined]);
    expect(['/a/b', '/a', '/a/b/c', '/a/B'].map((url) => match('/a/b', url) !== undefined)).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(['/a', '/a/b/c', '/ab', '/'].map((url) => match('/a/*', url) !== undefined)).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(match('/*', '/')).toEqual({});
  });

  it('tells the segments that it names, decoded', () => {
    expect(match('/users/:id/posts/:post', '/users/a%2Fb/posts/7?x=/')).toEqual({ id: 'a/b', post: '7' });
    expect(match('/users/:id', '/users/%E0%A4%A')).toEqual({ id: '%E0%A4%A' });
  });

  it.each([
    '/a/b',
    '//a///b/',
    '/a/./b',
    '/a/%62',
    '/x/../a/b',
    '/a/x/%2e%2E/b',
    '/../a/b',
    '/a/b?c',
    '/a/b#c',
    'http://x/a/b',
    'HTTPS://u:p@[::1]:99999//a/b?c',
    'ws+unix://x/a/b',
    'http:///a/b',
    'http://x\\a\\b',
    '\\a/x\\..\\b',
  ])('is for a path however it is written: %s', (url) => {
    expect(match('/a/b', url)).toEqual({});
  });

  it.each(['http://x', 'http://x/', 'http://x?/a/b', 'http://x#/a/b', '?/a/b', '//'])(
    'is for the root of %s',
    (url) => {
      expect([match('/', url), match('/a/b', url)]).toEqual([{}, undefined]);
    },
  );

  it.each(['*', '/a%2Fb', '/a/b;c', '/x?http://x/a/b', '/http://x/a/b', 'x/a/b'])('is for no other path: %s', (url) => {
    expect(match('/a/b', url)).toBeUndefined();
  });

  it.each([
    ['/a%20b', '/a%20b'],
    ['/caf%C3%A9', '/caf%c3%a9'],
    ['/café', '/caf%C3%A9'],
    ['/café', '/caf\xc3\xa9'], // bytes of UTF-8, as Node reads them
    ['/café', '/caf\xe9'],
    ['/a%2Fb', '/a%2fb'],
    ['/%2A/%3Aid', '/*/:id'],
    ['/.well-known/a..b/...', '/.well-known/a..b/...'],
  ])('may be written encoded: %s', (pattern, url) => {
    expect([match(pattern, url), match(pattern, '/x/y')]).toEqual([{}, undefined]);
  });

  it('knows whether another may be for the same path', () => {
    const pairs = [
      ['/a', '/a'],
      ['/a', '/b'],
      ['/a/*', '/a'],
      ['/a/*', '/a/b/c'],
      ['/a/*', '/b/c'],
      ['/:x', '/a'],
      ['/:x', '/a/b'],
      ['/*', '/a/b'],
    ];
    expect(pairs.map(([one = '', other = '']) => mayMeet(patternOf(one), patternOf(other)))).toEqual([
      true,
      false,
      true,
      true,
      false,
      true,
      false,
      true,
    ]);
    expect(pairs.map(([one = '', other = '']) => mayMeet(patternOf(other), patternOf(one)))).toEqual([
      true,
      false,
      true,
      true,
      false,
      true,
      false,
      true,
    ]);
  });
});

describe('a path', () => {
  it('is decoded as by decodeURIComponent, and none where that throws', () => {
    const part = fc.constantFrom(
      '%',
      '%4',
      '%41',
      '%c3',
      '%A9',
      '%ff',
      '%ed%a0%80',
      '%f0%9f%98%80',
      '%00',
      'é',
      '😀',
      'a',
      '+',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        const text = parts.join('');
        let expected: string | undefined;
        try {
          expected = decodeURIComponent(text);
        } catch {}
        expect(decodedOrNone(text)).toBe(expected);
      }),
    );
  });

  it.each(['%z', '%ff', '%'])('takes about as long with many segments that cannot be decoded, as %s', (segment) => {
    const msOf = (each: string) => {
      const target = `/${each}`.repeat(3000);
      const startMs = performance.now();
      segmentsOf(target);
      return performance.now() - startMs;
    };
    const leastOf = (each: string) => Math.min(...Array.from({ length: 10 }, () => msOf(each)));
    leastOf('%61'); // compiled
    expect(leastOf(segment) / leastOf('%61')).toBeLessThan(10);
  });
});
