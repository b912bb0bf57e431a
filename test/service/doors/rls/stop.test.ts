// The end of the connections of a gRPC server.

import { once } from 'node:events';
import { connect, createServer, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { Connections } from '../../../../service/doors/rls/connections.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** `count` sessions as the server has them, and what ends them. */
async function sessionsOf(count: number, idleMsMax = 60_000) {
  const server = createServer();
  const connections = new Connections(server, idleMsMax);
  const sessions: ServerHttp2Session[] = [];
  server.on('session', (session) => sessions.push(session));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const clients = Array.from({ length: count }, () => connect(`http://127.0.0.1:${port}`).on('error', () => {}));
  ends.push(() => {
    for (const client of clients) client.destroy();
    server.close();
  });
  await Promise.all(clients.map((client) => once(client, 'remoteSettings')));
  return { connections, sessions, clients };
}

it('goes on when a connection was lost in the same moment, and tells the others', async () => {
  const { connections, sessions, clients } = await sessionsOf(2);
  const told = once(clients[1] as (typeof clients)[number], 'goaway');
  sessions[0]?.destroy();
  expect(sessions[0]?.destroyed).toBe(true);
  await connections.close(5000);
  await told;
  expect(sessions.map(({ closed, destroyed }) => closed || destroyed)).toEqual([true, true]);
});

it('comes at once when nobody is connected, and by force when a call goes on', async () => {
  await (await sessionsOf(0)).connections.close(60_000);
  const { connections, sessions, clients } = await sessionsOf(1);
  const call = clients[0]?.request({ ':path': '/' }, { endStream: false });
  call?.on('error', () => {});
  await once(sessions[0] as ServerHttp2Session, 'stream');
  await connections.close(50);
  expect(sessions[0]?.destroyed).toBe(true);
});

it('comes by itself when nothing is asked for some time, and not while a call is under way', async () => {
  const { sessions, clients } = await sessionsOf(2, 2000);
  const [busy, idle] = clients as [(typeof clients)[number], (typeof clients)[number]];
  const call = busy.request({ ':path': '/' }, { endStream: false });
  call.on('error', () => {});
  const [ofBusy] = await Promise.race(sessions.map(async (session) => [session, await once(session, 'stream')]));
  await once(idle, 'close');
  await sleep(500);
  expect((ofBusy as ServerHttp2Session).closed).toBe(false);
  call.close();
  await once(busy, 'close');
});
