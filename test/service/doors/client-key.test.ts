import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { freePort } from '../../../chaos/free-port.ts';
import { headerKeyOf, keyOfAddress, keyOfHeader } from '../../../service/doors/client-key.ts';
import { startRedis } from '../../support/redis.ts';
import { startService } from '../../support/service.ts';
import { until } from '../../support/until.ts';

describe('the name of a bucket', () => {
  it('says of which kind the key is', () => {
    expect([keyOfHeader('alice'), keyOfAddress('10.0.0.1'), keyOfAddress(undefined)]).toEqual([
      'key:alice',
      'address:10.0.0.1',
      'address:unknown',
    ]);
  });

  it('is never the same for a header and an address, whatever the header says', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.oneof(fc.ipV4(), fc.ipV6()), (value, address) => {
        expect(keyOfHeader(value)).not.toBe(keyOfAddress(address));
        expect(keyOfHeader(keyOfAddress(address))).not.toBe(keyOfAddress(address));
      }),
    );
  });

  it('is different for different values of the header', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (one, other) => {
        expect(keyOfHeader(one) === keyOfHeader(other)).toBe(one === other);
      }),
    );
  });

  it('is of what the bytes of the header say in UTF-8', () => {
    expect(headerKeyOf({ 'x-key': '\xc3\xa9' }, 'x-key')).toBe('é');
  });

  it('is one for credentials, however their scheme is written', () => {
    const keys = ['Bearer Ab c', 'bearer Ab c', 'BEARER   Ab c', 'beareR\tAb c'].map((authorization) =>
      headerKeyOf({ authorization }, 'authorization'),
    );
    expect(new Set(keys)).toEqual(new Set(['bearer Ab c']));
    expect(headerKeyOf({ 'x-key': 'A  b' }, 'x-key')).toBe('A  b');
  });

  it('is of the address when the header is missing, empty or a list', () => {
    expect([
      headerKeyOf({ 'x-key': 'a' }, 'x-key'),
      headerKeyOf({ 'x-key': 'a' }, undefined),
      headerKeyOf({ 'x-key': '' }, 'x-key'),
      headerKeyOf({}, 'x-key'),
      headerKeyOf({ 'set-cookie': ['a'] }, 'set-cookie'),
    ]).toEqual(['a', undefined, undefined, undefined, undefined]);
  });
});

describe('one client', () => {
  it('has one bucket in Redis, whether the instance listens on IPv4 or on IPv6 too, and none that a header can name', async () => {
    await using redis = await startRedis();
    const port = await freePort();
    const env = {
      REDIS_ADDR: `127.0.0.1:${redis.port}`,
      KEY_HEADER: 'X-Key',
      RATE_LIMIT_WINDOW_SEC: '86400',
      REDIS_TIMEOUT_MS: '10000', // for the machine's sake
    };
    await using one = await startService(env);
    await using other = await startService({ ...env, HOST: '::', PORT: String(port) });
    const remaining = async (url: string, headers: Record<string, string> = {}) => {
      const answer = await fetch(url, { headers });
      return `${answer.headers.get('x-ratelimit-mechanism')} ${answer.headers.get('x-ratelimit-remaining')}`;
    };
    for (const { url } of [one, other]) {
      await until('Redis', async () => (await (await fetch(`${url}/readyz`)).json()).redis === 'connected');
    }
    expect([
      await remaining(one.url),
      await remaining(other.url),
      await remaining(one.url, { 'X-Key': '127.0.0.1' }),
      await remaining(other.url, { 'X-Key': 'address:127.0.0.1' }),
      await remaining(other.url),
    ]).toEqual(['redis 4', 'redis 3', 'redis 4', 'redis 4', 'redis 2']);
    expect((await redis.admin.keys('rl:*:*')).sort()).toEqual([
      'rl:address:127.0.0.1',
      'rl:key:127.0.0.1',
      'rl:key:address:127.0.0.1',
    ]);
  });
});
