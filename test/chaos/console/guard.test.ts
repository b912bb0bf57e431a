import { describe, expect, it } from 'vitest';
import { Guard } from '../../../chaos/console/guard.ts';

const guard = new Guard('127.0.0.1');
const host = '127.0.0.1:4600';
const cookie = guard.cookieFor({ host }).split(';')[0] ?? '';
const refusal = (headers: Record<string, string>, method = 'GET', token?: string) =>
  guard.refusal({ method, headers: { host, ...headers }, token });

describe('the console lets in', () => {
  it('whoever opens the address with the token, and the page by its cookie', () => {
    expect(refusal({ 'sec-fetch-site': 'cross-site' }, 'GET', guard.token)).toBeUndefined();
    expect(refusal({ cookie, 'sec-fetch-site': 'same-origin' })).toBeUndefined();
    expect(refusal({ cookie, origin: `http://${host}` }, 'POST')).toBeUndefined();
  });

  it('no script: the cookie is HttpOnly, stays on its site, and is named after the port', () => {
    expect(guard.cookieFor({ host })).toBe(`failopen-console-4600=${guard.token}; Path=/; HttpOnly; SameSite=Strict`);
  });
});

describe('the console refuses', () => {
  it.each([
    ['a wrong token', {}, 'GET', 'x', 'The token in the address is not the console’s.'],
    ['no cookie', {}, 'GET', undefined, 'Open the address that the console printed.'],
    [
      'a wrong cookie',
      { cookie: 'failopen-console-4600=x' },
      'GET',
      undefined,
      'Open the address that the console printed.',
    ],
    [
      'a name that somebody pointed here',
      { cookie, host: 'evil.test:4600' },
      'GET',
      undefined,
      'The host "evil.test:4600" is not the console\'s.',
    ],
    [
      'the page of another port',
      { cookie, origin: 'http://127.0.0.1:3000' },
      'POST',
      undefined,
      'The origin "http://127.0.0.1:3000" is not the console\'s page.',
    ],
    ['a change without an origin', { cookie }, 'POST', undefined, 'A change needs the Origin of the page.'],
    [
      'what another page loads',
      { cookie, 'sec-fetch-site': 'same-site' },
      'GET',
      undefined,
      'A request from a same-site page.',
    ],
  ] as const)('%s', (_what, headers, method, token, why) => {
    expect(refusal({ ...headers }, method, token)).toBe(why);
  });
});
