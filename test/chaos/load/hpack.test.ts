// Beside the examples of RFC 7541, appendix C, against what Node's HTTP/2 server makes of headers.

import { once } from 'node:events';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { callHeaders } from '../../../chaos/load/grpc-call.ts';
import { GrpcConnection } from '../../../chaos/load/grpc-connection.ts';
import { encodeHeaders, type Field, HeaderDecoder } from '../../../chaos/load/hpack.ts';

const bytes = (hex: string) => Buffer.from(hex, 'hex');

it('reads the requests of the RFC, with what was remembered of earlier ones', () => {
  const decoder = new HeaderDecoder();
  const began = [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'www.example.com'],
  ];
  expect(decoder.read(bytes('828684418cf1e3c2e5f23a6ba0ab90f4ff'))).toEqual(began);
  expect(decoder.read(bytes('828684be5886a8eb10649cbf'))).toEqual([...began, ['cache-control', 'no-cache']]);
  expect(decoder.read(bytes('828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf'))).toEqual([
    [':method', 'GET'],
    [':scheme', 'https'],
    [':path', '/index.html'],
    [':authority', 'www.example.com'],
    ['custom-key', 'custom-value'],
  ]);
});

it('forgets the oldest where there is no space left', () => {
  const decoder = new HeaderDecoder();
  const remembered = (i: number) => {
    const [name, value] = [Buffer.from(`name-${i % 10}`), Buffer.alloc(1000, 'x')];
    return Buffer.concat([Buffer.of(0x40, name.length), name, Buffer.of(127, 0xe9, 0x06), value]);
  };
  for (let i = 0; i < 4; i++) decoder.read(remembered(i));
  expect(decoder.read(Buffer.of(0x80 + 62, 0x80 + 64)).map(([name]) => name)).toEqual(['name-3', 'name-1']);
  expect(() => decoder.read(Buffer.of(0x80 + 65))).toThrow('a header block names entry 65, which is none');
  expect(decoder.read(Buffer.of(0x20))).toEqual([]); // nothing is to be remembered
  expect(() => decoder.read(Buffer.of(0x80 + 62))).toThrow('a header block names entry 62, which is none');
});

it.each([
  ['entry 0', '80', 'entry 0, which is none'],
  ['a name without an end', '0005616263', 'ends too soon'],
  ['no value', '000161', 'ends too soon'],
  ['a number without end', '0001617fffffffffffffffff', 'a number without end'],
  ['a text of zeros where it should end', '0001618100', 'a text that is none'],
  ['a text with an end in it', '00016184ffffffff', 'with an end in it'],
  ['more to remember than may be', '3fe2ff03', 'bytes remembered'],
])('refuses %s', (_what, hex, why) => {
  expect(() => new HeaderDecoder().read(bytes(hex))).toThrow(why);
});

it('writes what it reads, of any length', () => {
  const fields: Field[] = [...[0, 1, 126, 127, 128, 254, 255, 256, 16_383, 16_384, 70_000]].map((length) => [
    `x-${length}`,
    'v'.repeat(length),
  ]);
  expect(new HeaderDecoder().read(encodeHeaders(fields))).toEqual(fields);
});

it('reads every character that Node’s server may send, and is understood by it', async () => {
  const printable = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('');
  const seen: unknown[] = [];
  const server = createServer();
  server.on('stream', (stream, headers) => {
    seen.push([headers['x-key'], headers[':path'], headers[':authority']]);
    stream.respond({ ':status': 200, 'grpc-status': '5', 'grpc-message': `<${printable}>` }, { endStream: true });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const connection = new GrpcConnection(url, 1000);
  const headers = callHeaders(url, '/a.B/C', { 'X-Key': printable.trim() });
  const told = () => new Promise((resolve) => connection.call(headers, Buffer.alloc(5), resolve));
  for (let i = 0; i < 3; i++)
    expect(await told()).toEqual({ status: '5', text: `<${printable}>`, body: Buffer.alloc(0) });
  expect(seen).toEqual(Array(3).fill([printable.trim(), '/a.B/C', new URL(url).host]));
  connection.close();
  server.close();
});
