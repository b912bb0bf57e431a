import { describe, expect, it } from 'vitest';
import { addressBehind, type TrustedProxies, trustedProxiesOf } from '../../../service/doors/trusted-proxies.ts';

const trust = (text: string) => trustedProxiesOf(text) as TrustedProxies;
const behind = (trusted: string, forwarded: string | undefined, peer = '10.0.0.1') =>
  addressBehind(peer, forwarded, trust(trusted));

describe('the address behind proxies', () => {
  it.each([
    ['off', '192.0.2.1', '10.0.0.1'],
    ['0', '192.0.2.1', '10.0.0.1'],
    ['1', '1.2.3.4, 192.0.2.1', '192.0.2.1'],
    ['2', '1.2.3.4, 192.0.2.1, 10.0.0.2', '192.0.2.1'],
    ['16', '192.0.2.1', '192.0.2.1'], // fewer stand there than are allowed to
    ['10.0.0.0/8', '1.2.3.4, 192.0.2.1, 10.0.0.2', '192.0.2.1'],
    ['10.0.0.0/8', '10.0.0.3, 10.0.0.2', '10.0.0.3'], // all are trusted: who is first asked
    ['10.0.0.1', '1.2.3.4, 10.0.0.2', '10.0.0.2'],
    ['10.0.0.2', '1.2.3.4, 10.0.0.2', '10.0.0.1'], // the peer itself is nobody's proxy
    ['0.0.0.0/0', '1.2.3.4, 192.0.2.1', '1.2.3.4'],
    ['1', undefined, '10.0.0.1'],
    ['1', '', '10.0.0.1'],
    ['10.0.0.0/8', '1.2.3.4, unknown, 10.0.0.2', '10.0.0.2'],
    ['10.0.0.0/8', '1.2.3.4, , 10.0.0.2', '10.0.0.2'],
    ['1', '010.0.0.5', '10.0.0.1'],
    ['1', '192.0.2.1:8080', '192.0.2.1'],
    ['1', '[2001:db8::1]:8080', '2001:db8::1'],
    ['1', '[2001:db8::1]', '2001:db8::1'],
    ['1', '2001:db8::1', '2001:db8::1'],
    ['1', '[192.0.2.1]:80', '10.0.0.1'],
    ['1', '192.0.2.1:', '10.0.0.1'],
    ['1', '192.0.2.1:80:80', '10.0.0.1'],
    ['1', '[2001:db8::1', '10.0.0.1'],
    ['1', '192.0.2.1\t', '192.0.2.1'],
  ])('with TRUST_PROXY=%s and X-Forwarded-For: %s is %s', (trusted, forwarded, address) => {
    expect(behind(trusted, forwarded)).toBe(address);
  });

  it('takes IPv4 written as IPv6 for IPv4, and networks of IPv6 for what they are', () => {
    expect([
      behind('10.0.0.0/8', '192.0.2.1', '::ffff:10.0.0.1'),
      behind('10.0.0.0/8', '192.0.2.1, ::ffff:a00:2', '::ffff:10.0.0.1'),
      behind('fd00::/8', '192.0.2.1', 'fd00::1'),
      behind('fd00::/8', '192.0.2.1', 'fe80::1'),
      behind('fe80::/10', '192.0.2.1', 'fe80::1%eth0'),
      behind('::/0', '192.0.2.1', '::ffff:10.0.0.1'),
    ]).toEqual(['192.0.2.1', '192.0.2.1', '192.0.2.1', 'fe80::1', '192.0.2.1', '192.0.2.1']);
  });

  it('is looked for in 32 entries: a client that may write more must not keep everybody waiting', () => {
    const chain = (count: number) => Array.from({ length: count }, (_, i) => `10.1.0.${count - i}`).join(', ');
    expect(behind('10.0.0.0/8', `192.0.2.1, ${chain(31)}`)).toBe('192.0.2.1');
    expect(behind('10.0.0.0/8', `192.0.2.1, ${chain(32)}`)).toBe('10.1.0.32');
    expect(behind('10.0.0.0/8', `192.0.2.1, ${chain(200)}`)).toBe('10.1.0.32');
  });

  it('is none where the connection is gone', () => {
    expect(addressBehind(undefined, '192.0.2.1', trust('1'))).toBe(undefined);
  });

  it.each(['10.0.0.1/8', '192.0.2.1/31', '10.0.0.1/0', 'fd00::1/8', '2001:db8:8000::/32'])(
    'is not behind a network that is written as %s: an address, or all of it, may be meant',
    (text) => {
      expect(trustedProxiesOf(text)).toBe(undefined);
    },
  );

  it.each(['10.0.0.1/32', '192.0.2.2/31', '0.0.0.0/0', 'fd00::1/128', '2001:db8::/33'])('may be behind %s', (text) => {
    expect(trustedProxiesOf(text)).toHaveProperty('networks');
  });
});
