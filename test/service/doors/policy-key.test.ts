import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type KeyPart, keyOfParts, keyPartOf } from '../../../service/doors/policy-key.ts';
import type { RequestFacts } from '../../../service/doors/request-facts.ts';

const request = (headers: RequestFacts['headers'], address: string | undefined = '192.0.2.1'): RequestFacts => ({
  method: 'GET',
  url: '/',
  headers,
  addressOf: () => address,
});
const partsOf = (...texts: string[]) => texts.map((text) => keyPartOf(text) as KeyPart);

describe('the key of a policy', () => {
  it.each(['', 'Address', 'header:', 'header', 'header:a b', 'query:a', 'path:a/b', 'address:1'])(
    'is made of no %j',
    (text) => {
      expect(keyPartOf(text)).toBeUndefined();
    },
  );

  it('joins its parts, each behind what it is', () => {
    const of = (parts: KeyPart[], facts: RequestFacts) => keyOfParts(parts, facts, { id: '7' });
    const facts = request({ 'x-api-key': 'k', cookie: 'a=1; session=s=1; session=2' }, '192.0.2.1');
    expect(of(partsOf('header:X-Api-Key', 'address', 'path:id', 'cookie:session'), facts)).toBe(
      'header:x-api-key=k|address=192.0.2.1|path:id=7|cookie:session=s=1',
    );
  });

  it.each(['session=s 1', 'session=s%201', 'session=%73%20%31', 'session="s%201"', ' session = "s 1" '])(
    'is one for all spellings of a cookie, as %s',
    (cookie) => {
      expect(keyOfParts(partsOf('cookie:session'), request({ cookie }), {})).toBe('cookie:session=s 1');
    },
  );

  it('is a cookie as it is written where it is no percent-encoding', () => {
    const keys = ['%', '%e9', '"a', 'a"b"'].map((value) =>
      keyOfParts(partsOf('cookie:a'), request({ cookie: `a=${value}` }), {}),
    );
    expect(keys).toEqual(['cookie:a=%25', 'cookie:a=%25e9', 'cookie:a="a', 'cookie:a=a"b"']);
  });

  it('is what the bytes of a value say in UTF-8, or else in latin1', () => {
    const of = (part: string, headers: RequestFacts['headers']) => keyOfParts(partsOf(part), request(headers), {});
    const keys = ['\xc3\xa9\xc3\xa0', '\xe9', '\xf0\x9f\x98\x80'].flatMap((value) => [
      of('header:a', { a: value }),
      of('cookie:a', { cookie: `b=1; a=${value}; c=2` }),
    ]);
    const values = ['éà', 'é', '😀'].flatMap((value) => [`header:a=${value}`, `cookie:a=${value}`]);
    expect(keys).toEqual(values);
  });

  it('is one for credentials, however their scheme is written', () => {
    const of = (authorization: string) => keyOfParts(partsOf('header:Authorization'), request({ authorization }), {});
    expect(['Bearer Ab', 'bearer  Ab', `BEARER${' '.repeat(300)}Ab`].map(of)).toEqual([
      'header:authorization=bearer Ab',
      'header:authorization=bearer Ab',
      'header:authorization=bearer Ab',
    ]);
  });

  it.each(['constructor', '__proto__', 'tostring', 'toString', 'hasOwnProperty'])(
    'is missing without a part that is called %s, as every object has a property',
    (name) => {
      for (const kind of ['header', 'cookie', 'path', 'jwt']) {
        const parts = partsOf(`${kind}:${name}`);
        expect(keyOfParts(parts, request({}), {})).toMatchObject({ title: 'Key missing' });
        expect(keyOfParts(parts, request({ cookie: 'a=1', authorization: 'Bearer e30.e30.' }), {})).toMatchObject({
          title: 'Key missing',
        });
      }
      const own = { [name.toLowerCase()]: 'k' };
      expect(keyOfParts(partsOf(`header:${name}`), request(own), {})).toBe(`header:${name.toLowerCase()}=k`);
    },
  );

  it('is never the same for two lists of values', () => {
    const parts = partsOf('header:a', 'header:b');
    const value = fc.string({
      unit: fc.constantFrom('|', '%', '=', '7', 'C', 'b', ':', 'header:b='),
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(value, value, value, value, (a, b, c, d) => {
        const same = keyOfParts(parts, request({ a, b }), {}) === keyOfParts(parts, request({ a: c, b: d }), {});
        expect(same).toBe(a === c && b === d);
      }),
      { numRuns: 20_000 },
    );
  });

  it('is missing with any of its parts, and says which; one that is too long is none', () => {
    const title = (texts: string[], facts: RequestFacts) => keyOfParts(partsOf(...texts), facts, {});
    const missing = (label: string) => ({
      title: 'Key missing',
      detail: `The request has no ${label}, which its limit is counted by.`,
    });
    expect(title(['address', 'header:x-key'], request({}))).toEqual(missing('header:x-key'));
    expect(title(['header:x-key'], request({ 'x-key': '' }))).toEqual(missing('header:x-key'));
    expect(title(['cookie:a'], request({ cookie: 'b=1; a; =2' }))).toEqual(missing('cookie:a'));
    expect(title(['path:id'], request({}))).toEqual(missing('path:id'));
    expect(keyOfParts(partsOf('address'), { ...request({}), addressOf: () => undefined }, {})).toEqual(
      missing('address'),
    );
    expect(title(['header:x-key'], request({ 'x-key': 'a'.repeat(257) }))).toMatchObject({ title: 'Key too long' });
  });
});
