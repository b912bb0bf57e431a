// Clients of the door of Envoy that send too much, too little or nonsense, seen from outside, beside one that behaves.

import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { type MethodDefinition, type ServiceDefinition, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadProtocol, rlsServiceName } from '../../../../service/doors/rls/protocol.ts';
import { descriptorsOf, gistOf, RlsClient } from '../../../support/rls.ts';
import { type RlsService, startRlsService } from '../../../support/rls-service.ts';
import { until } from '../../../support/until.ts';

const rules = 'domain: edge\ndescriptors: [{key: user, rate_limit: {unit: second, requests_per_unit: 1000000}}]\n';
const headers = {
  ':method': 'POST',
  ':path': `/${rlsServiceName}/ShouldRateLimit`,
  'content-type': 'application/grpc',
  te: 'trailers',
};
const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0';

let service: RlsService;
let client: RlsClient;

beforeAll(async () => {
  service = await startRlsService(rules);
  client = new RlsClient(service.grpcPort);
});
afterAll(async () => {
  client[Symbol.dispose]();
  await service.stop();
});

const isAnswered = async () => gistOf(await client.ask('edge', descriptorsOf('user=a')))[0];

/** The session is destroyed with the test. */
async function session(): Promise<ClientHttp2Session & Disposable> {
  const opened = connect(`http://127.0.0.1:${service.grpcPort}`);
  opened.on('error', () => {});
  await new Promise((resolve) => opened.once('remoteSettings', resolve));
  return Object.assign(opened, { [Symbol.dispose]: () => opened.destroy() });
}

/** The code that the stream is reset with. */
const resetOf = (stream: ClientHttp2Stream) =>
  new Promise<number>((resolve) => {
    stream.on('error', () => {});
    stream.on('close', () => resolve(stream.rstCode));
  });

it.each([
  ['HTTP/1.1', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', false],
  ['nonsense', Buffer.alloc(10_000, 7), false],
  ['the end of its side', preface, true],
])('a client that sends %s is closed', async (_, bytes, isEnd) => {
  const socket = connectTcp({ port: service.grpcPort, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {}).resume();
  const ended = new Promise((resolve) => socket.once('end', resolve).once('close', resolve));
  if (isEnd) socket.end(bytes);
  else socket.write(bytes);
  await ended;
  socket.destroy();
  expect(await isAnswered()).toBe('OK');
});

const { requestSerialize } = (loadProtocol()[rlsServiceName] as ServiceDefinition).ShouldRateLimit as MethodDefinition<
  object,
  unknown
>;
const message = requestSerialize({ domain: 'edge', descriptors: descriptorsOf('user=a') });

/** A message as it goes over the wire. `isCompressed`: 0 or 1. */
function framed(bytes: Buffer, isCompressed = 0, length = bytes.length): Buffer {
  const prefix = Buffer.of(isCompressed, 0, 0, 0, 0);
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, bytes]);
}

/** What a call ends with: the number of its status, and whether a message came before. */
async function endOf(stream: ClientHttp2Stream): Promise<{ status: string; hasAnswer: boolean; code: number }> {
  let bytes = 0;
  let last: Record<string, unknown> = {};
  for (const event of ['response', 'trailers'])
    stream.on(event, (headers) => {
      last = headers;
    });
  stream
    .on('error', () => {})
    .on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
  await new Promise((resolve) => stream.on('close', resolve));
  return { status: String(last['grpc-status']), hasAnswer: bytes > 0, code: stream.rstCode };
}

it.each([
  ['of no message', Buffer.alloc(0), status.UNIMPLEMENTED],
  ['of half a prefix', Buffer.alloc(3), status.UNIMPLEMENTED],
  ['of a message that is cut off', framed(message).subarray(0, -1), status.UNIMPLEMENTED],
  ['of two messages', Buffer.concat([framed(message), framed(message)]), status.UNIMPLEMENTED],
  ['of a message that announces 4 GB', framed(message, 0, 2 ** 32 - 1), status.UNIMPLEMENTED],
  ['of a message that is compressed in no known way', framed(message, 1), status.INTERNAL],
  ['of a message that is too long', framed(Buffer.alloc(300_000)), status.RESOURCE_EXHAUSTED],
])('a call %s is told so', async (_, bytes, code) => {
  using other = await session();
  const call = other.request(headers);
  call.end(bytes);
  expect(await endOf(call)).toEqual({ status: String(code), hasAnswer: false, code: constants.NGHTTP2_NO_ERROR });
  expect(await isAnswered()).toBe('OK');
});

it('a call whose message is too long is told so before it ends, and it is read no further', async () => {
  using other = await session();
  const call = other.request(headers, { endStream: false });
  call.write(Buffer.alloc(300_000));
  expect(await endOf(call)).toMatchObject({ status: String(status.RESOURCE_EXHAUSTED), hasAnswer: false });
});

it.each([
  ['byte by byte', { ...headers }, framed(message)],
  ['as gRPC of protobuf', { ...headers, 'content-type': 'application/grpc+proto' }, framed(message)],
  ['with parameters', { ...headers, 'content-type': 'application/grpc; charset=x' }, framed(message)],
  ['compressed', { ...headers, 'grpc-encoding': 'gzip' }, framed(gzipSync(message), 1)],
  ['with a deadline', { ...headers, 'grpc-timeout': '5S' }, framed(message)],
])('a call that comes %s is answered', async (_, withHeaders, bytes) => {
  using other = await session();
  const call = other.request(withHeaders);
  for (const byte of bytes) call.write(Buffer.of(byte));
  call.end();
  expect(await endOf(call)).toEqual({ status: '0', hasAnswer: true, code: constants.NGHTTP2_NO_ERROR });
});

it('a call of another type is none', async () => {
  using other = await session();
  const call = other.request({ ...headers, 'content-type': 'application/json' });
  const answered = new Promise((resolve) => call.on('response', (answer) => resolve(answer[':status'])));
  call.end(framed(message));
  expect(await answered).toBe(415);
});

it('headers that are too long, or too many, end their call', async () => {
  using other = await session();
  expect(other.remoteSettings).toMatchObject({ maxHeaderListSize: 16_384, maxConcurrentStreams: 100 });
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`h${i}`, 'x']));
  for (const more of [{ long: 'x'.repeat(30_000) }, many])
    expect(await resetOf(other.request({ ...headers, ...more }))).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  expect(await isAnswered()).toBe('OK');
});

it('headers that are too long end their call before the client has heard how long they may be, too', async () => {
  const early = connect(`http://127.0.0.1:${service.grpcPort}`);
  early.on('error', () => {});
  try {
    const call = early.request({ ...headers, long: 'x'.repeat(30_000) });
    call.resume().end(framed(message));
    expect(await resetOf(call)).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    expect((await endOf(early.request(headers).end(framed(message)))).status).toBe('0');
  } finally {
    early.destroy();
  }
  expect(await isAnswered()).toBe('OK');
});

it('a client that resets one call after another loses its connection', async () => {
  using other = await session();
  let sent = 0;
  while (!other.closed && !other.destroyed && sent < 20_000) {
    for (let i = 0; i < 50 && !other.closed && !other.destroyed; i++, sent++) {
      const stream = other.request(headers);
      stream.on('error', () => {});
      stream.close(constants.NGHTTP2_CANCEL);
    }
    await sleep(1);
  }
  expect(sent).toBeLessThan(20_000);
  expect(await isAnswered()).toBe('OK');
});

it('a call that does not come in whole is cut after 10 s, and one that is watched is not', async () => {
  using other = await session();
  const watch = other.request({ ...headers, ':path': '/grpc.health.v1.Health/Watch' });
  watch.end(Buffer.alloc(5)); // an empty message
  let watchEnded = false;
  watch.resume().on('close', () => {
    watchEnded = true;
  });
  const half = other.request(headers, { endStream: false });
  half.write(Buffer.of(0, 0, 0, 1, 0, 1));
  const beganMs = performance.now();
  expect(await resetOf(half)).toBe(constants.NGHTTP2_CANCEL);
  expect(performance.now() - beganMs).toBeGreaterThan(9000);
  expect(watchEnded).toBe(false);
});

it('a call whose answer is not read is cut, and one that goes on asking and never ends', async () => {
  const deaf = connect(`http://127.0.0.1:${service.grpcPort}`, { settings: { initialWindowSize: 0 } });
  deaf.on('error', () => {});
  const unread = deaf.request(headers);
  unread.end(framed(message));
  const reflection = deaf.request({ ...headers, ':path': '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo' });
  const asks = setInterval(() => reflection.destroyed || reflection.write(framed(Buffer.of(0x3a, 0))), 100); // list_services
  expect(await Promise.all([resetOf(unread), resetOf(reflection)])).toEqual([
    constants.NGHTTP2_CANCEL,
    constants.NGHTTP2_CANCEL,
  ]);
  clearInterval(asks);
  deaf.destroy();
}, 40_000);

it('a call of one descriptor does not wait for a great many of a hundred each', async () => {
  using wide = new RlsClient(service.grpcPort);
  const hundred = descriptorsOf(...Array.from({ length: 100 }, (_, i) => `user=${i}`));
  let answered = 0;
  const calls = Array.from({ length: 100 }, () =>
    wide.ask('edge', hundred, { withinMs: 60_000 }).then(() => answered++),
  );
  await until('the first of them', () => answered > 0);
  expect(await isAnswered()).toBe('OK');
  expect(answered).toBeLessThan(80);
  await Promise.all(calls);
});
