import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyHash } from '../../../service/doors/key-hash.ts';
import { keyKindOf } from '../../../service/doors/key-kind.ts';
import { type KeyPart, keyOfParts, keyPartOf } from '../../../service/doors/policy-key.ts';

const secret = 'a secret of enough bytes';

describe('the kind of a key', () => {
  it.each([
    ['key:alice', 'key:'],
    ['key:', 'key:'],
    ['key:a=b|cookie:c=d', 'key:'], // a value as its client wrote it
    ['address:2001:db8::1', 'address:'],
    ['given=a|b=c', 'given='],
    ['given=address=1', 'given='],
    ['address=192.0.2.1', 'address='],
    ['header:x-api-key=a=b|address=2001:db8::1', 'header:x-api-key|address='],
    ['header:a|b=secret|path:id=7', 'header:a|b|path:id='],
    ['cookie:sid=\n', 'cookie:sid='],
    ['jwt:https://a.example/sub=x|address=192.0.2.1', 'jwt:https://a.example/sub|address='],
    ['', ''],
    ['alice', ''],
    ['alice=secret', ''],
    ['address=192.0.2.1|secret', ''],
    ['header:x=a|secret=b', ''],
  ])('of %j is %j', (key, kind) => {
    expect(keyKindOf(key)).toBe(kind);
  });

  it('of what a policy makes of any values is its parts alone', () => {
    const names = ['header:x-a', 'header:a|b', 'cookie:c', 'path:id'];
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...names), fc.string({ minLength: 1 })), { minLength: 1 }),
        (parts) => {
          const key = parts.map(([text, value]) => {
            const part = keyPartOf(text) as Exclude<KeyPart, { kind: 'address' }>;
            const request = {
              method: 'GET',
              url: '/',
              headers: part.kind === 'header' ? { [part.name]: value } : {},
              addressOf: () => undefined,
            };
            const own = keyOfParts([part.kind === 'cookie' ? { ...part, kind: 'path' } : part], request, {
              [part.name]: value,
            });
            return String(own).replace(/^path/, part.kind);
          });
          expect(keyKindOf(key.join('|'))).toBe(`${parts.map(([text]) => text).join('|')}=`);
        },
      ),
    );
  });
});

describe('KeyHash', () => {
  it('is an HMAC-SHA-256 of the whole key behind its kind, and the same whenever it is asked', () => {
    const hash = new KeyHash(secret);
    const expected = `key:${createHmac('sha256', secret).update('key:alice').digest('base64url')}`;
    expect(hash.of('key:alice')).toBe(expected);
    for (let i = 0; i < 45_000; i++) hash.of(`key:${i}`); // more than it remembers
    expect([hash.of('key:alice'), hash.of('key:alice'), hash.of('key:0')]).toEqual([
      expected,
      expected,
      new KeyHash(secret).of('key:0'),
    ]);
  });

  it('is another with another secret, and for every other key', () => {
    const keys = ['key:a', 'key:b', 'address:a', 'given=a', 'address=a', 'key:ä', 'key:a\u0308', 'key:\0', ''];
    const hashes = [secret, `${secret}.`].flatMap((it) => keys.map((key) => new KeyHash(it).of(key)));
    expect(new Set(hashes).size).toBe(2 * keys.length);
    for (const hashed of hashes) expect(hashed).toMatch(/^([a-z]+[:=])?[\w-]{43}$/);
  });
});
