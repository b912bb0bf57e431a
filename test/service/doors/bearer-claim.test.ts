import { describe, expect, it } from 'vitest';
import { claimIn } from '../../../service/doors/bearer-claim.ts';

const encoded = (text: string) => Buffer.from(text).toString('base64url');
const tokenOf = (claims: unknown) => `Bearer ${encoded('{"alg":"HS256"}')}.${encoded(JSON.stringify(claims))}.c2ln`;

describe('a claim of a bearer token', () => {
  it('is a text or a whole number', () => {
    const token = tokenOf({ sub: 'älice|a=b', org: 7, 'https://example.com/plan': 'free' });
    expect([claimIn(token, 'sub'), claimIn(token, 'org'), claimIn(token, 'https://example.com/plan')]).toEqual([
      'älice|a=b',
      '7',
      'free',
    ]);
    expect(claimIn(token.replace('Bearer', 'bearer'), 'org')).toBe('7');
  });

  it.each([
    ['no token', undefined],
    ['another scheme', 'Basic YTpi'],
    ['two parts', 'Bearer a.b'],
    ['five parts, which are encrypted', 'Bearer a.b.c.d.e'],
    ['no base64url', `Bearer a.${btoa('{"sub":"?>"}')}=.c`],
    ['no JSON', `Bearer a.${encoded('{"sub":')}.c`],
    [
      'no UTF-8, where two texts would be one',
      `Bearer a.${Buffer.from('{"sub":"\xe9"}', 'latin1').toString('base64url')}.c`,
    ],
    ['half of a surrogate pair, likewise', tokenOf({ sub: 'a\ud800' })],
    ['no object', `Bearer a.${encoded('null')}.c`],
    ['a list', `Bearer a.${encoded('["sub"]')}.c`],
    ['a fraction', tokenOf({ sub: 1.5 })],
    ['a number that is not exact', `Bearer a.${encoded('{"sub":1e300}')}.c`],
    ['true', tokenOf({ sub: true })],
    ['nested', tokenOf({ sub: { sub: 'a' } })],
    ['longer than is read', tokenOf({ sub: 'a', rest: 'x'.repeat(8192) })],
  ])('is none with %s', (_, authorization) => {
    expect(claimIn(authorization, 'sub')).toBe(undefined);
  });

  it('is its own, not one that every object has', () => {
    expect([claimIn(tokenOf({}), 'constructor'), claimIn(tokenOf({}), '__proto__')]).toEqual([undefined, undefined]);
  });
});
