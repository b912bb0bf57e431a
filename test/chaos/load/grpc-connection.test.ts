// Against a bare TCP server, which says in frames what a test has it say.

import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type CallEnd, callHeaders } from '../../../chaos/load/grpc-call.ts';
import { GrpcConnection } from '../../../chaos/load/grpc-connection.ts';
import { encodeHeaders } from '../../../chaos/load/hpack.ts';
import {
  type Frame,
  FrameReader,
  flags,
  frame,
  frameTypes,
  setting,
  settings,
  uint32,
} from '../../../chaos/load/http2-frames.ts';
import { until } from '../../support/until.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

const message = Buffer.from('message');
const prefaceBytes = 24;

/**
 * `onFrame` is told each frame that comes, and answers as it likes; `call` is a call, and how it ended. `said`: what the server
 * begins with.
 */
async function client(onFrame: (it: Frame, socket: Socket) => void, giveUpMs = 5000, said = settingsOf()) {
  const server = createServer((socket) => {
    socket.write(said);
    const reader = new FrameReader();
    let skip = prefaceBytes;
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      const rest = chunk.subarray(skip);
      skip = Math.max(0, skip - chunk.length);
      for (const it of reader.read(rest)) onFrame(it, socket);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const connection = new GrpcConnection(url, giveUpMs);
  const headers = callHeaders(url, '/a.B/C');
  cleanups.push(() => {
    connection.close();
    server.close();
  });
  const call = (data = Buffer.from('?')) => new Promise<CallEnd>((done) => connection.call(headers, data, done));
  return { call, connection };
}

const settingsOf = (...its: readonly (readonly [id: number, value: number])[]) =>
  frame(frameTypes.settings, 0, 0, Buffer.concat(its.map(([id, value]) => setting(id, value))));
const isCall = ({ type }: Frame) => type === frameTypes.data;
const headersOf = (stream: number, its: number, ...fields: readonly (readonly [string, string])[]) =>
  frame(frameTypes.headers, its, stream, encodeHeaders(fields));
const whole = flags.endHeaders;
const last = flags.endHeaders | flags.endStream;
const answer = (stream: number) =>
  Buffer.concat([
    headersOf(stream, whole, [':status', '200']),
    frame(frameTypes.data, flags.none, stream, message),
    headersOf(stream, last, ['grpc-status', '0']),
  ]);
const answered = { status: '0', text: '', body: message };

describe('an answer', () => {
  it('is the same a byte at a time', async () => {
    const { call } = await client(async (it, socket) => {
      if (isCall(it)) for (const byte of answer(it.stream)) socket.write(Buffer.of(byte));
    });
    expect([await call(), await call()]).toEqual([answered, answered]);
  });

  it('may be padded, told in parts, and have priorities', async () => {
    const { call } = await client((it, socket) => {
      if (!isCall(it)) return;
      const block = encodeHeaders([['grpc-status', '0']]);
      const [begin, rest] = [block.subarray(0, 3), block.subarray(3)];
      const padded = Buffer.concat([Buffer.of(2), message, Buffer.alloc(2)]);
      socket.write(headersOf(it.stream, whole, [':status', '200']));
      socket.write(frame(frameTypes.data, flags.padded, it.stream, padded));
      const prioritized = Buffer.concat([Buffer.of(1), Buffer.alloc(5), begin, Buffer.alloc(1)]);
      socket.write(frame(frameTypes.headers, flags.padded | flags.priority | flags.endStream, it.stream, prioritized));
      socket.write(frame(frameTypes.continuation, flags.endHeaders, it.stream, rest));
    });
    expect([await call(), await call()]).toEqual([answered, answered]);
  });

  it('of whom something else answers than a gRPC server has no status', async () => {
    const { call } = await client((it, socket) => {
      if (isCall(it)) socket.write(headersOf(it.stream, last, [':status', '503']));
    });
    expect(await call()).toEqual({ status: undefined, error: 'no status of gRPC, and 503 of HTTP' });
  });

  it('has a bound, and only its own call ends by it', async () => {
    const { call } = await client((it, socket) => {
      if (!isCall(it)) return;
      const part = frame(frameTypes.data, flags.none, it.stream, Buffer.alloc(16_384));
      if (it.stream === 1) for (let i = 0; i < 100; i++) socket.write(part);
      else socket.write(answer(it.stream));
    });
    expect(await Promise.all([call(), call()])).toEqual([
      { status: undefined, error: 'an answer of more than 1048576 bytes' },
      answered,
    ]);
  });

  it('that does not come is given up, and the server is told', async () => {
    const resets: number[] = [];
    const { call } = await client((it, socket) => {
      if (isCall(it) && it.stream > 1) socket.write(answer(it.stream));
      if (it.type === frameTypes.rstStream) resets.push(it.stream);
    }, 300);
    const [first, second] = await Promise.all([call(), call()]);
    expect(first).toEqual({ status: undefined, error: 'no answer within 0.3 s' });
    expect(second).toEqual(answered);
    await until('a reset', () => resets.length > 0);
    expect(resets).toEqual([1]);
  });
});

describe('a server', () => {
  it.each([
    ['no HTTP/2 at all', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), /^no HTTP\/2: a frame of \d+ bytes$/],
    ['headers that are none', frame(frameTypes.headers, last, 1, Buffer.of(0x80)), /^no HTTP\/2: .* entry 0/],
    ['a frame that is too short', frame(frameTypes.rstStream, 0, 1, Buffer.of(1)), /^no HTTP\/2: /],
    ['padding, and more of it than all', frame(frameTypes.data, flags.padded, 1, Buffer.of(9, 1)), /^no HTTP\/2: /],
  ])('that says %s ends the connection, and its calls', async (_what, said, why) => {
    const { call, connection } = await client((it, socket) => {
      if (isCall(it) && it.stream === 3) socket.write(said);
    });
    const ends = await Promise.all([call(), call()]);
    for (const end of ends) expect(end).toEqual({ status: undefined, error: expect.stringMatching(why) });
    expect(connection.isOver).toBe(true);
    expect(await call()).toEqual(ends[0]);
  });

  it('that takes two calls at a time gets no more, and all in their order', async () => {
    const [open, most, order]: [Set<number>, number[], number[]] = [new Set(), [], []];
    const { call } = await client((it, socket) => {
      if (it.type === frameTypes.settings && !(it.flags & flags.ack))
        socket.write(frame(frameTypes.settings, 0, 0, Buffer.concat([Buffer.of(0, 3), uint32(2)])));
      if (!isCall(it)) return;
      open.add(it.stream);
      order.push(it.stream);
      most.push(open.size);
      setTimeout(() => {
        open.delete(it.stream);
        socket.write(answer(it.stream));
      }, 20);
    });
    await call(); // by then the settings were read
    expect(await Promise.all(Array.from({ length: 9 }, () => call()))).toEqual(Array(9).fill(answered));
    expect([Math.max(...most), order]).toEqual([2, [1, 3, 5, 7, 9, 11, 13, 15, 17, 19]]);
  });

  it('that reads slowly gets no more than it has space for', async () => {
    const data = Buffer.alloc(10_000);
    let got = 0;
    let isFull = false;
    const { call } = await client((it, socket) => {
      if (!isCall(it)) return;
      got += it.payload.length;
      if (it.stream === 11) isFull = true; // the sixth: 60,000 of 65,535 bytes
      if (it.stream > 11) socket.write(answer(it.stream));
      if (it.stream !== 11) return;
      setTimeout(() => {
        expect(got).toBe(60_000);
        socket.write(frame(frameTypes.windowUpdate, 0, 0, uint32(100_000)));
        for (const stream of [1, 3, 5, 7, 9, 11]) socket.write(answer(stream));
      }, 50);
    });
    expect(await Promise.all(Array.from({ length: 9 }, () => call(data)))).toEqual(Array(9).fill(answered));
    expect([isFull, got]).toEqual([true, 90_000]);
  });

  it('that goes away answers what came before, and takes nothing new', async () => {
    const { call, connection } = await client((it, socket) => {
      if (!isCall(it) || it.stream < 5) return;
      socket.write(frame(frameTypes.goaway, 0, 0, Buffer.concat([uint32(3), uint32(0)])));
      setTimeout(() => socket.write(Buffer.concat([answer(1), answer(3)])), 50);
    });
    const gone = { status: undefined, error: 'the connection was closed by GOAWAY' };
    expect(await Promise.all([call(), call(), call()])).toEqual([answered, answered, { ...gone, isUntaken: true }]);
    expect([connection.isOver, await call()]).toEqual([true, gone]);
  });

  it('that goes away before it was asked was sent nothing', async () => {
    const said = Buffer.concat([settingsOf([settings.streamsMax, 0]), frame(frameTypes.goaway, 0, 0, Buffer.alloc(8))]);
    const { call } = await client(() => {}, 5000, said);
    expect(await call()).toMatchObject({ isUntaken: true, isUnsent: true });
  });

  it('that takes a call not at all says so, other than one that it gives up', async () => {
    const { call } = await client((it, socket) => {
      if (isCall(it)) socket.write(frame(frameTypes.rstStream, 0, it.stream, uint32(it.stream === 1 ? 7 : 2)));
    });
    expect(await Promise.all([call(), call()])).toEqual([
      { status: undefined, error: 'the call was reset (7)', isUntaken: true },
      { status: undefined, error: 'the call was reset (2)' },
    ]);
  });

  it('whose headers have no end is no server', async () => {
    const { call } = await client((it, socket) => {
      if (!isCall(it)) return;
      socket.write(frame(frameTypes.headers, 0, it.stream, encodeHeaders([['grpc-status', '0']])));
      for (let i = 0; i < 100; i++) socket.write(frame(frameTypes.continuation, 0, it.stream, Buffer.alloc(0)));
    });
    expect(await call()).toEqual({ status: undefined, error: 'no HTTP/2: headers without an end' });
  });

  it('is asked for nothing before it has said what it takes', async () => {
    let isSaid = false;
    const early: number[] = [];
    const { call } = await client(
      (it, socket) => {
        if (isCall(it)) socket.write(answer(it.stream));
        if (isCall(it) && !isSaid) early.push(it.stream);
        if (it.type !== frameTypes.windowUpdate || isSaid) return;
        setTimeout(() => {
          isSaid = true;
          socket.write(settingsOf([settings.streamsMax, 1]));
        }, 50);
      },
      5000,
      Buffer.alloc(0),
    );
    expect(await Promise.all([call(), call()])).toEqual([answered, answered]);
    expect(early).toEqual([]);
  });

  it('that has little space for each call gets the rest of it when there is more', async () => {
    const parts: [stream: number, bytes: number, its: number][] = [];
    const { call } = await client(
      (it, socket) => {
        if (!isCall(it)) return;
        parts.push([it.stream, it.payload.length, it.flags]);
        if (parts.length === 1) socket.write(frame(frameTypes.windowUpdate, 0, it.stream, uint32(2)));
        if (parts.length === 2) socket.write(settingsOf([settings.windowBytes, 2])); // one less than it was: none is left
        if (parts.length === 2) socket.write(frame(frameTypes.windowUpdate, 0, it.stream, uint32(1)));
        if (parts.length === 2) setTimeout(() => socket.write(settingsOf([settings.windowBytes, 100])), 50);
        if (it.flags & flags.endStream) socket.write(answer(it.stream));
      },
      5000,
      settingsOf([settings.windowBytes, 3]),
    );
    expect(await call(Buffer.alloc(20))).toEqual(answered);
    expect(await call(Buffer.alloc(20))).toEqual(answered);
    expect(parts).toEqual([
      [1, 3, 0],
      [1, 2, 0],
      [1, 15, 1],
      [3, 20, 1],
    ]);
  });

  it('that has none for headers gets a block that says so, once', async () => {
    const begins: (number | undefined)[] = [];
    const said = settingsOf([settings.tableBytes, 0]);
    const { call } = await client(
      (it, socket) => {
        if (it.type === frameTypes.headers) begins.push(it.payload[0]);
        if (isCall(it)) socket.write(answer(it.stream));
      },
      5000,
      said,
    );
    expect([await call(), await call()]).toEqual([answered, answered]);
    expect(begins).toEqual([0x20, 0]);
  });

  it('that takes one call at a time gives none that waited more time than any has', async () => {
    const { call } = await client(
      (it, socket) => {
        if (isCall(it) && it.stream === 1) setTimeout(() => socket.write(answer(1)), 400);
      },
      600,
      settingsOf([settings.streamsMax, 1]),
    );
    const startMs = performance.now();
    expect(await Promise.all([call(), call()])).toEqual([
      answered,
      { status: undefined, error: 'no answer within 0.6 s' },
    ]);
    expect(performance.now() - startMs).toBeLessThan(900);
  });

  it('that pings is answered', async () => {
    const pongs: string[] = [];
    const { call } = await client((it, socket) => {
      if (it.type === frameTypes.ping) pongs.push(String(it.payload));
      if (isCall(it)) socket.write(frame(frameTypes.ping, 0, 0, Buffer.from('12345678')));
      if (it.type === frameTypes.ping) socket.write(answer(1));
    });
    expect([await call(), pongs]).toEqual([answered, ['12345678']]);
  });

  it('that does not listen is told as refused, also to who waits for the connection', async () => {
    const connection = new GrpcConnection('http://127.0.0.1:1', 1000);
    await new Promise<void>((resolve) => connection.onceOpen(resolve));
    const end = await new Promise<CallEnd>((resolve) => connection.call(Buffer.alloc(0), Buffer.alloc(0), resolve));
    expect(end).toEqual({ status: undefined, error: expect.stringContaining('ECONNREFUSED') });
  });
});
