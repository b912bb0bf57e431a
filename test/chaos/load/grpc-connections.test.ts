// Against a bare HTTP/2 server, which says what a test has it say.

import {
  createServer,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { GrpcConnections } from '../../../chaos/load/grpc-connections.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

async function client(onCall: (stream: ServerHttp2Stream, call: Buffer) => void, settings: Settings = {}) {
  const server: Http2Server = createServer({ settings });
  server.on('stream', (stream) => {
    const chunks: Buffer[] = [];
    stream.on('error', () => {});
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => onCall(stream, Buffer.concat(chunks)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const connections = new GrpcConnections(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  cleanups.push(() => {
    connections.close();
    server.close();
  });
  const body = '{"domain":"d","descriptors":[{"entries":[{"key":"k","value":"v"}]}]}';
  return () =>
    new Promise((resolve) => {
      connections.request({ method: 'POST', path: '/a.B/C', headers: {}, body }, (answer, error) =>
        resolve([answer?.status, error ?? answer?.body(), ...(answer?.header('x-a') ? [answer.header('x-a')] : [])]),
      );
    });
}

const answer = (stream: ServerHttp2Stream, bytes: readonly number[]) => {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(Buffer.from([0, 0, 0, 0, bytes.length, ...bytes]));
};

it('a call carries the message, and its answer is told as a status and JSON', async () => {
  const calls: string[] = [];
  const ask = await client((stream, call) => {
    calls.push(call.toString('hex'));
    answer(stream, [8, calls.length, 18, 4, 8, 1, 24, 7]);
  });
  const statuses = [{ code: 'OK', limitRemaining: 7 }];
  const messageOf = (overallCode: string) => JSON.stringify({ statuses, responseHeadersToAdd: [], overallCode });
  expect(await ask()).toEqual([200, messageOf('OK')]);
  expect(await ask()).toEqual([429, messageOf('OVER_LIMIT')]);
  expect(calls[0]).toBe(`000000000d${'0a0164'}${'1208'}${'0a06'}${'0a016b'}${'120176'}`);
});

it('headers for the answer of the proxy’s client are those of the answer', async () => {
  const ask = await client((stream) =>
    answer(stream, [8, 2, 26, 9, 10, 3, ...Buffer.from('X-A'), 18, 2, ...Buffer.from('20')]),
  );
  expect(await ask()).toEqual([429, expect.any(String), '20']);
});

it('a call that fails is told with why, and the next one is sent all the same', async () => {
  const ends: ((stream: ServerHttp2Stream) => void)[] = [
    (stream) => stream.respond({ ':status': 200, 'grpc-status': '14', 'grpc-message': 'away' }, { endStream: true }),
    (stream) => answer(stream, [0xff]),
    (stream) => stream.close(8),
    (stream) => stream.session?.destroy(),
    (stream) => answer(stream, [8, 1]),
  ];
  const ask = await client((stream) => ends.shift()?.(stream));
  expect(await ask()).toEqual([500, 'gRPC status 14: away']);
  expect(await ask()).toEqual([500, expect.stringContaining('out of range')]);
  expect(await ask()).toEqual([undefined, expect.stringContaining('reset')]);
  expect(await ask()).toEqual([undefined, expect.any(String)]);
  expect(await ask()).toEqual([200, '{"statuses":[],"responseHeadersToAdd":[],"overallCode":"OK"}']);
});

it('a call that the server did not take is sent once more, and no third time', async () => {
  let calls = 0;
  const ask = await client((stream) => {
    calls++;
    if (calls === 2) answer(stream, [8, 1]);
    else stream.close(7); // REFUSED_STREAM
  });
  expect(await ask()).toEqual([200, '{"statuses":[],"responseHeadersToAdd":[],"overallCode":"OK"}']);
  expect(await ask()).toEqual([undefined, 'the call was reset (7)']);
  expect(calls).toBe(4);
});

it('a server that goes away gracefully loses no call', async () => {
  let calls = 0;
  const ask = await client((stream) => {
    if (++calls % 10 === 0) stream.session?.close(); // GOAWAY; what was taken before is answered
    answer(stream, [8, 1]);
  });
  const all = await Promise.all(Array.from({ length: 30 }, ask));
  expect(all).toEqual(Array(30).fill([200, '{"statuses":[],"responseHeadersToAdd":[],"overallCode":"OK"}']));
});

const allowed = [200, '{"statuses":[],"responseHeadersToAdd":[],"overallCode":"OK"}'];

it.each<[string, Settings]>([
  ['16 bytes of a call', { initialWindowSize: 16 }],
  ['one call at a time', { maxConcurrentStreams: 1 }],
  ['no headers to remember', { headerTableSize: 0 }],
])('a server that takes %s loses none', async (_what, settings) => {
  const ask = await client((stream) => answer(stream, [8, 1]), settings);
  expect(await Promise.all(Array.from({ length: 30 }, ask))).toEqual(Array(30).fill(allowed));
  expect(await Promise.all(Array.from({ length: 30 }, ask))).toEqual(Array(30).fill(allowed));
});

it('an answer may be longer than what HTTP/2 lets a server send unasked', async () => {
  const value = 'a'.repeat(100_000);
  const header = Buffer.concat([Buffer.from([10, 3, ...Buffer.from('X-A'), 18, 0xa0, 0x8d, 6]), Buffer.from(value)]);
  const its = Buffer.concat([Buffer.from([8, 1, 26, 0xa9, 0x8d, 6]), header]);
  const ask = await client((stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    const head = Buffer.alloc(5);
    head.writeUInt32BE(its.length, 1);
    stream.end(Buffer.concat([head, its]));
  });
  expect(await ask()).toEqual([200, expect.any(String), value]);
});

it('a server that goes away on all connections at once loses no call', async () => {
  let calls = 0;
  const sessions = new Set<ServerHttp2Session>();
  const ask = await client((stream) => {
    if (stream.session) sessions.add(stream.session as ServerHttp2Session);
    // Those that it has not seen yet it does not take.
    if (++calls === 16) for (const session of sessions) session.goaway(0, 0);
    answer(stream, [8, 1]);
  });
  await Promise.all(Array.from({ length: 8 }, ask)); // one on each
  expect(await Promise.all(Array.from({ length: 64 }, ask))).toEqual(Array(64).fill(allowed));
});
