// The JSON API over connections that no ordinary client makes: bodies in pieces, too large or never complete, requests in
// one another's way.

import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ServiceProcess, startService } from '../../support/service.ts';

let service: ServiceProcess;
beforeAll(async () => {
  service = await startService({ RATE_LIMIT: '1000000', RATE_LIMIT_BURST: '1000000', RATE_LIMIT_WINDOW_SEC: '1' });
});
afterAll(async () => {
  const { status } = await fetch(service.url);
  const isWell = [status, service.child.hasEnded(), service.output().includes('unexpected error')];
  await service.stop();
  expect(isWell).toEqual([200, false, false]);
});

const post = (body: string, { path = '/v1/check', headers = '', version = '1.1' } = {}) =>
  `POST ${path} HTTP/${version}\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`;
const get = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

/** Sends the pieces one after another, ends, and resolves to what came until the server closed. */
function talk(pieces: readonly (string | Buffer)[], { end = true, pauseMs = 20 } = {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port: service.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    let received = '';
    const over = () => {
      resolve(received);
      socket.destroy();
    };
    socket.setEncoding('latin1').on('data', (data: string) => {
      received += data;
    });
    socket.on('end', over).on('error', over);
    void (async () => {
      for (const piece of pieces) {
        socket.write(piece);
        await sleep(pauseMs);
      }
      if (end) socket.end();
    })();
  });
}

const statusesIn = (text: string) => text.match(/(?<=HTTP\/1\.1 )\d+/g)?.map(Number);

describe('the body of a check', () => {
  it('may come in any pieces', async () => {
    const text = post('{"key":"in pieces"}');
    expect(statusesIn(await talk([...text], { pauseMs: 1 }))).toEqual([200]);
    expect(
      statusesIn(await talk([text.slice(0, -10), text.slice(-10) + text + text.slice(0, 30), text.slice(30)])),
    ).toEqual([200, 200, 200]);
  });

  it('may be chunked', async () => {
    const body = '{"key":"chunked"}';
    const chunks = [body.slice(0, 4), body.slice(4)].map((it) => `${it.length.toString(16)}\r\n${it}\r\n`);
    const head =
      'POST /v1/check HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n';
    expect(statusesIn(await talk([head, ...chunks, '0\r\n\r\n', get]))).toEqual([200, 200]);
    expect(statusesIn(await talk([`${head}${chunks.join('')}0\r\n\r\n${get}`]))).toEqual([200, 200]);
  });

  it('may hold what looks like the ends of many requests, and be followed by others', async () => {
    const body = `{"key":"a",${'\r\n\r\n'.repeat(2000)}"cost":1}`;
    expect(statusesIn(await talk([post(body) + get + post(body) + get]))).toEqual([200, 200, 200, 200]);
  });

  it('is answered in its place among other requests of its connection, fifty times', async () => {
    const text = `${post('{"key":"a"}')}${get}${post('{"key":""}')}${post('{"checks":[]}', { path: '/v1/check/batch' })}`;
    expect(statusesIn(await talk([text.repeat(50)]))).toEqual(Array(50).fill([200, 200, 400, 200]).flat());
  });

  it('is asked for where its client waits to be, and not where it would be refused', async () => {
    const expecting = post('{"key":"a"}', { headers: 'Expect: 100-continue\r\n' });
    const at = expecting.indexOf('{');
    expect(statusesIn(await talk([expecting.slice(0, at), expecting.slice(at)]))).toEqual([100, 200]);
    const large = `POST /v1/check HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n`;
    expect(statusesIn(await talk([large], { end: false }))).toEqual([413]);
  });

  it('may come by HTTP/1.0', async () => {
    const answer = await talk([post('{"key":"a"}', { version: '1.0' })], { end: false });
    expect([statusesIn(answer), answer.includes('"allowed":true')]).toEqual([[200], true]);
  });
});

describe('a body that is too large', () => {
  const megabyte = Buffer.alloc(1_000_000, ' ');
  it.each([
    ['is announced', 'Content-Length: 10000000', megabyte],
    ['is chunked', 'Transfer-Encoding: chunked', Buffer.from(`f4240\r\n${megabyte}\r\n`)],
  ])('is refused with a connection that closes, where it %s', async (_, header, piece) => {
    const head = `POST /v1/check/batch HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${header}\r\n\r\n`;
    const answer = await talk([head, ...Array(10).fill(piece)], { end: false });
    expect([statusesIn(answer), /\r\nConnection: close\r\n/i.test(answer)]).toEqual([[413], true]);
  });

  it('leaves no memory behind, nor one whose client goes before its end, a hundred times', async () => {
    const rssMb = async () => {
      const page = await (await fetch(`${service.url}/metrics`)).text();
      return Number(/^process_resident_memory_bytes (\S+)$/m.exec(page)?.[1]) / 1e6;
    };
    const head =
      'POST /v1/check/batch HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1048000\r\n\r\n';
    const before = await rssMb();
    for (let round = 0; round < 10; round++)
      await Promise.all(Array.from({ length: 10 }, () => talk([head, megabyte])));
    expect((await rssMb()) - before).toBeLessThan(150); // a hundred of them are 100 MB, and the machine's
  });
});

describe('nonsense', () => {
  it.each([
    ['two lengths', 'POST /v1/check HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n{}'],
    [
      'a length and chunks',
      'POST /v1/check HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a negative length', 'POST /v1/check HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n{}'],
    [
      'a bad chunk',
      'POST /v1/check HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    ],
    ['after a check', `${post('{"key":"a"}')}\0\u0001nonsense\r\n\r\n`],
  ])('is answered 400, and the connection closes: %s', async (_, text) => {
    expect(statusesIn(await talk([text], { end: false }))?.at(-1)).toBe(400);
  });
});
