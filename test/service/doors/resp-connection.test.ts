// When a connection of the RESP door is cut, by a clock of the test's own.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { clientCommands } from '../../../service/doors/resp/client-commands.ts';
import { Connection } from '../../../service/doors/resp/connection.ts';
import { Turns } from '../../../service/doors/resp/turns.ts';
import { until } from '../../support/until.ts';

interface Opened extends Disposable {
  readonly connection: Connection;
  readonly client: Socket;
  readonly received: () => string;
  /** Answers the command LATER. */
  readonly answerLater: (reply: string) => void;
  readonly isOver: () => boolean;
}

async function opened(): Promise<Opened> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const client = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' }).setEncoding('latin1');
  const [socket] = await accepted;
  const later = Promise.withResolvers<string>();
  const waits = { name: 'later', words: [1, 1], usage: '', summary: '', run: () => later.promise } as const;
  const connection = new Connection({
    socket,
    session: { id: 1, protocol: 2, isKnown: true, name: '', isOver: false },
    kinds: new Map([...clientCommands(undefined), waits].map((kind) => [kind.name, kind])),
    turns: new Turns(),
    onDefect: (defect) => {
      throw defect;
    },
  });
  let received = '';
  let isOver = false;
  client.on('data', (text) => {
    received += text;
  });
  client
    .on('error', () => {})
    .on('close', () => {
      isOver = true;
    });
  return {
    connection,
    client,
    received: () => received,
    answerLater: later.resolve,
    isOver: () => isOver,
    [Symbol.dispose]() {
      client.destroy();
      socket.destroy();
      server.close();
    },
  };
}

const afterS = (s: number) => performance.now() + 1000 * s;

it('one over which nothing comes is closed after five minutes, and not before', async () => {
  using idle = await opened();
  idle.client.write('PING\r\n');
  await until('an answer', () => idle.received() === '+PONG\r\n');
  idle.connection.check(afterS(290));
  idle.client.write('PING\r\n');
  await until('an answer', () => idle.received() === '+PONG\r\n+PONG\r\n');
  idle.connection.check(afterS(301));
  await until('its end', idle.isOver);
});

it('one that waits for its answer is not idle, and goes on after it', async () => {
  using waiting = await opened();
  waiting.client.write('PING\r\nLATER\r\n');
  await until('both commands', () => waiting.received() === '+PONG\r\n' && !waiting.connection.isQuiet);
  waiting.connection.check(afterS(301));
  waiting.answerLater('+LATER\r\n');
  waiting.client.write('PING\r\n');
  await until('the rest', () => waiting.received() === '+PONG\r\n+LATER\r\n+PONG\r\n');
});

it('one with half a command is cut after ten seconds, and one that goes on with it is not', async () => {
  using half = await opened();
  half.client.write('PING\r\n*1\r\n$4\r\nPI');
  await until('an answer', () => half.received() === '+PONG\r\n');
  half.connection.check(afterS(0)); // sees that the one has come
  half.connection.check(afterS(0)); // and from here on that the other has not
  half.connection.check(afterS(9));
  half.client.write('NG\r\n*1\r\n$4\r\nPI');
  await until('an answer', () => half.received() === '+PONG\r\n+PONG\r\n');
  half.connection.check(afterS(11)); // a command has come since
  half.connection.check(afterS(11));
  half.connection.check(afterS(20));
  expect(half.isOver()).toBe(false);
  half.connection.check(afterS(22));
  await until('its end', half.isOver);
});
