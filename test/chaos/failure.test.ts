import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { failureOf, failuresIn, giveUpMs } from '../../chaos/failure.ts';
import { freePort } from '../../chaos/free-port.ts';
import { Connections } from '../../chaos/load/connections.ts';
import type { Outcome } from '../../chaos/outcome.ts';

/** What a client says that asks this server once. */
async function errorOf(url: string): Promise<string | undefined> {
  const connections = new Connections(url, 1);
  const error = await new Promise<string | undefined>((resolve) =>
    connections.get('/', {}, (_answer, error) => resolve(error)),
  );
  connections.close();
  return error;
}

describe('how a request failed', () => {
  it.each<[string, string, (socket: Socket) => void]>([
    ['reset', 'resets the connection', (socket) => socket.resetAndDestroy()],
    ['closed', 'closes it without an answer', (socket) => socket.end()],
    ['closed', 'closes it within an answer', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-')],
    ['malformed', 'answers what is no HTTP', (socket) => socket.write('+PONG\r\n')],
    ['malformed', 'tells no length', (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n')],
    [
      'malformed',
      'tells no size of a chunk',
      (socket) => socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n'),
    ],
    ['malformed', 'never ends', (socket) => socket.write(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(2 ** 20)}`)],
  ])('is %s where the server %s', async (kind, _what, answer) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => answer(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const error = await errorOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.close();
    expect(failureOf({ status: 0, ...(error === undefined ? {} : { error }) })).toBe(kind);
  });

  it.each(['127.0.0.1', 'localhost'])('is refused where nobody listens at %s', async (host) => {
    const error = (await errorOf(`http://${host}:${await freePort()}`)) ?? '';
    expect(failureOf({ status: 0, error })).toBe('refused');
  });

  it.each([
    [0, `no answer within ${giveUpMs / 1000} s`, 'timed out'],
    [0, 'Command timed out', 'timed out'],
    [0, 'connect ETIMEDOUT 10.0.0.1:80', 'timed out'],
    [0, 'the call was reset', 'reset'],
    [0, 'write EPIPE', 'reset'],
    [0, 'Connection is closed.', 'closed'],
    [0, 'self-signed certificate', 'other'],
    [0, undefined, 'other'],
    [500, 'gRPC status 14: no connection', '5xx'],
    [503, undefined, '5xx'],
    [404, undefined, '4xx'],
    [302, undefined, 'malformed'],
    [200, undefined, undefined],
    [429, undefined, undefined],
  ])('with status %s and "%s" is %s', (status, error, kind) => {
    expect(failureOf({ status, ...(error === undefined ? {} : { error }) })).toBe(kind);
  });

  it.each<[number, Outcome, string | undefined]>([
    [403, 'denied', undefined],
    [500, 'allowed', undefined],
    [200, 'failed', 'malformed'],
    [429, 'failed', '4xx'],
  ])('with status %s is as its target means it: %s', (status, outcome, kind) => {
    expect(failureOf({ status, outcome })).toBe(kind);
  });

  it('is counted by kind, and kinds of which there are none are left out', () => {
    const reset = { status: 0, error: 'read ECONNRESET' };
    expect(failuresIn([{ status: 503 }, reset, { status: 200 }, reset])).toEqual({ reset: 2, '5xx': 1 });
    expect(failuresIn([])).toEqual({});
  });
});
