import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clientAddress } from '../../../service/doors/client-address.ts';

describe('the address of a client', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['::FFFF:7F00:1', '127.0.0.1'],
    ['0:0:0:0:0:ffff:c0a8:0a0b', '192.168.10.11'],
    ['::ffff:255.255.255.255%eth0', '255.255.255.255'],
    ['64:ff9b::192.0.2.1', '192.0.2.1'], // behind a translator
    ['64:ff9b::c000:201', '192.0.2.1'],
    ['64:ff9b:1::c000:201', '64:ff9b:1:0::/56'], // another network
    ['::ffff:0:7f00:1', '0:0:0:0::/56'],
    ['1::ffff:7f00:1', '1:0:0:0::/56'],
    ['::', '0:0:0:0::/56'],
    ['::1', '0:0:0:0::/56'],
    ['fe80::1%eth0', 'fe80:0:0:0::/56'],
    ['2001:DB8:1:2345:6:7:8:9', '2001:db8:1:2300::/56'],
    ['2001:db8:1:23ff::', '2001:db8:1:2300::/56'],
    ['2001:db8:1:2400::', '2001:db8:1:2400::/56'],
  ])('%s is known as %s', (address, known) => {
    expect(clientAddress(address, 56)).toBe(known);
  });

  it.each([
    [1, '8000::/1'],
    [16, 'fedc::/16'],
    [17, 'fedc:8000::/17'],
    [64, 'fedc:ba98:7654:3210::/64'],
    [127, 'fedc:ba98:7654:3210:0:1:2:2/127'],
    [128, 'fedc:ba98:7654:3210:0:1:2:3'],
  ])('is as many bits of it as are asked for: %s', (bits, known) => {
    expect(clientAddress('fedc:ba98:7654:3210:0:1:2:3', bits)).toBe(known);
  });

  it('is the same for two addresses exactly when their bits are', () => {
    const bitsOf = (address: string) =>
      BigInt(
        `0x${address
          .split(':')
          .map((group) => group.padStart(4, '0'))
          .join('')}`,
      );
    const group = fc.oneof(
      fc.constant('0'),
      fc.constant('ffff'),
      fc.nat(0xffff).map((n) => n.toString(16)),
    );
    const ipv6 = fc.tuple(fc.integer({ min: 0x2000, max: 0x3fff }), fc.array(group, { minLength: 7, maxLength: 7 }));
    fc.assert(
      fc.property(
        ipv6,
        fc.integer({ min: 0, max: 127 }),
        fc.integer({ min: 1, max: 128 }),
        ([first, rest], flip, bits) => {
          const one = [first.toString(16), ...rest].join(':');
          const other = (bitsOf(one) ^ (1n << BigInt(127 - flip)))
            .toString(16)
            .padStart(32, '0')
            .replace(/(.{4})(?=.)/g, '$1:');
          fc.pre(/^[23]/.test(other));
          expect(clientAddress(one, bits) === clientAddress(other, bits)).toBe(flip >= bits);
        },
      ),
    );
  });
});
