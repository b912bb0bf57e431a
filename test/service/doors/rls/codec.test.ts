// The reader and the writer of Envoy's messages, held to those that are made from its files.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadProtocol, rlsServiceName } from '../../../../service/doors/rls/protocol.ts';
import { descriptorsMax, entriesMax, type RlsRequest, requestIn } from '../../../../service/doors/rls/request.ts';
import { bytesOfResponse, code, unitNumbers } from '../../../../service/doors/rls/response.ts';
import type { RlsUnit } from '../../../../service/doors/rls/rules.ts';

const { requestSerialize, responseDeserialize } = (
  loadProtocol()[rlsServiceName] as unknown as Record<string, Record<string, (value: unknown) => unknown>>
).ShouldRateLimit as { requestSerialize(message: object): Buffer; responseDeserialize(bytes: Buffer): unknown };

const text = fc.string({ unit: 'binary', maxLength: 20 }).filter((it) => it.isWellFormed());
const uint32 = fc.nat({ max: 2 ** 32 - 1 });
const descriptor = fc.record({
  entries: fc.array(fc.record({ key: text, value: text }), { maxLength: 5 }),
  override: fc.option(fc.record({ requestsPerUnit: uint32, unit: fc.nat({ max: 6 }) }), { nil: undefined }),
  hitsAddend: fc.option(fc.nat({ max: Number.MAX_SAFE_INTEGER }), { nil: undefined }),
  isNegative: fc.boolean(),
});
const request = fc.record({
  domain: text,
  descriptors: fc.array(descriptor, { maxLength: 6 }),
  hitsAddend: uint32,
});

/** The bytes of the general writer. */
const written = ({
  domain,
  descriptors,
  hitsAddend,
}: typeof request extends fc.Arbitrary<infer Message> ? Message : never) =>
  requestSerialize({
    domain,
    hits_addend: hitsAddend,
    descriptors: descriptors.map(({ entries, override, hitsAddend, isNegative }) => ({
      entries,
      ...(override ? { limit: { requests_per_unit: override.requestsPerUnit, unit: override.unit } } : {}),
      ...(hitsAddend === undefined ? {} : { hits_addend: { value: hitsAddend } }),
      is_negative_hits: isNegative,
    })),
  });

const entriesOf = (count: number) => Array.from({ length: count }, () => ({ key: 'k', value: 'v' }));

describe('a request', () => {
  it('has other texts for other bytes, also where these are no UTF-8', () => {
    const domainOf = (...bytes: number[]) => requestIn(Buffer.of(0x0a, bytes.length, ...bytes));
    const domains = [domainOf(0xff), domainOf(0xfe), domainOf(0xef, 0xbf, 0xbd)];
    expect(domains.map((it) => 'domain' in it && it.domain)).toEqual(['\xff', '\xfe', '\ufffd']);
  });

  it('is read as it was written', () => {
    fc.assert(fc.property(request, (message) => void expect(requestIn(written(message))).toEqual(message)));
  });

  it('has numbers of 64 bits cut to the lower 32 where the field has no more', () => {
    const bytesOf = (number: bigint): number[] =>
      number < 128n ? [Number(number)] : [Number(number & 127n) + 128, ...bytesOf(number >> 7n)];
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (number) => {
        const { hitsAddend } = requestIn(Buffer.of(0x18, ...bytesOf(number))) as RlsRequest;
        expect(hitsAddend).toBe(Number(BigInt.asUintN(32, number)));
      }),
    );
  });

  it('has all that is not known passed over', () => {
    const message = { domain: 'edge', descriptors: [], hitsAddend: 7 };
    const unknown = [
      0x78,
      0x96,
      0x01,
      0x79,
      ...Array(8).fill(9),
      0x7a,
      2,
      1,
      2,
      0x7d,
      ...Array(4).fill(9),
      0x09,
      ...Array(8).fill(9),
    ];
    expect(requestIn(Buffer.concat([Buffer.from(unknown), written(message)]))).toEqual(message);
  });

  it.each([
    ['a cut-off number', [0x18, 0x80], 'it ends at byte 2, in the middle of a field'],
    ['a text longer than the rest', [0x0a, 5, 0x61], 'it ends at byte 3, in the middle of a field'],
    [
      'a descriptor longer than the rest',
      [0x12, 0xff, 0xff, 0xff, 0xff, 0x0f],
      'it ends at byte 6, in the middle of a field',
    ],
    [
      'a field longer than its message',
      [0x12, 2, 0x0a, 5, 1, 1, 1, 1, 1],
      'it ends at byte 4, in the middle of a field',
    ],
    ['a number of eleven bytes', [0x18, ...Array(10).fill(0x80), 1], 'byte 11 follows a number of more than 10 bytes'],
    ['a field of number 0', [0x00, 1], 'byte 1 follows a tag that is none'],
    ['a group', [0x1b, 0x1c], 'byte 1 begins a value of wire type 3'],
  ])('with %s is none, and the answer says so', (_, bytes, why) => {
    expect(requestIn(Buffer.from(bytes))).toEqual({ mistake: `The message is no RateLimitRequest: ${why}.` });
  });

  it('of any bytes is read or refused, and throws never', () => {
    const valid = request.map((message) => [...written(message)]);
    const spoilt = fc.tuple(valid, fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 8 }), fc.nat());
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), spoilt), (bytes) => {
        if (bytes instanceof Uint8Array) return void requestIn(Buffer.from(bytes));
        const [whole, changes, length] = bytes;
        for (const [at, byte] of changes) if (whole.length > 0) whole[at % whole.length] = byte;
        requestIn(Buffer.from(whole.slice(0, length % (whole.length + 1))));
      }),
      { numRuns: 2000 },
    );
  });

  it('may have so many descriptors and entries and no more, however many it has', () => {
    const wide = (count: number, entries: number) => ({
      domain: 'edge',
      hitsAddend: 0,
      descriptors: Array.from({ length: count }, () => ({
        entries: entriesOf(entries),
        override: undefined,
        hitsAddend: undefined,
        isNegative: false,
      })),
    });
    expect(requestIn(written(wide(descriptorsMax, entriesMax)))).toEqual(wide(descriptorsMax, entriesMax));
    for (const count of [descriptorsMax + 1, 10_000])
      expect(requestIn(written(wide(count, 1)))).toEqual({
        mistake: 'descriptors has more than 100; allowed: 1 to 100.',
      });
    expect(requestIn(written(wide(1, 10_000)))).toEqual({
      mistake: 'descriptors[0].entries has more than 32; allowed: up to 32.',
    });
  });
});

const status = fc.record({
  code: fc.constantFrom(code.ok, code.overLimit),
  currentLimit: fc.option(
    fc.record({
      name: fc.option(text, { nil: undefined }),
      requestsPerUnit: uint32,
      unit: fc.constantFrom(...(Object.keys(unitNumbers) as RlsUnit[])),
    }),
    { nil: undefined },
  ),
  limitRemaining: uint32,
  secondsUntilReset: fc.option(fc.nat({ max: 31_536_000 }), { nil: undefined }),
});

it('a response is read as it was written, however long it is', () => {
  const codes = { [code.ok]: 'OK', [code.overLimit]: 'OVER_LIMIT' };
  const response = fc.record({
    overallCode: fc.constantFrom(code.ok, code.overLimit),
    statuses: fc.array(status, { maxLength: 100 }),
    headers: fc.array(
      fc.string({ unit: 'binary', maxLength: 200 }).filter((it) => it.isWellFormed()),
      { maxLength: 8 },
    ),
  });
  fc.assert(
    fc.property(response, ({ overallCode, statuses, headers }) => {
      const pairs = headers.slice(0, headers.length - (headers.length % 2));
      expect(responseDeserialize(Buffer.from(bytesOfResponse({ overallCode, statuses, headers: pairs })))).toEqual({
        overall_code: codes[overallCode],
        statuses: statuses.map(({ code, currentLimit, limitRemaining, secondsUntilReset }) => ({
          code: codes[code],
          current_limit: currentLimit
            ? {
                name: currentLimit.name ?? '',
                requests_per_unit: currentLimit.requestsPerUnit,
                unit: currentLimit.unit.toUpperCase(),
              }
            : null,
          limit_remaining: limitRemaining,
          duration_until_reset: secondsUntilReset === undefined ? null : { seconds: secondsUntilReset, nanos: 0 },
        })),
        response_headers_to_add: pairs.flatMap((key, i) => (i % 2 ? [] : [{ key, value: pairs[i + 1] }])),
      });
    }),
  );
});
