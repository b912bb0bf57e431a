// Runs the failure path before it is needed, on real sockets: a Redis of its own that falls silent.
//
// Otherwise the first outage is also the first time that this code runs, and that costs twice. Compiling it takes up to
// a millisecond and a half. And the engine has compiled everything else, sockets, events and timers, for a process that
// never lost a connection: the first loss throws that code away, all of it at once, and for tens of milliseconds every
// request is served by the interpreter (figures in JOURNAL.md).

import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Limit } from '../core/limit.ts';
import { Limiter } from '../core/limiter.ts';
import { LocalStore } from '../core/local-store.ts';
import { takeOf } from '../core/store.ts';
import { connectSingle } from './single.ts';

const outages = 8;
const takesPerOutage = 20;
/** Long enough for the calls to time out first. */
const socketTimeoutMs = 5;
/** The server hangs up after so long, should the machine have been too busy for a call to be in flight. */
const connectionMsMax = 50;

/** Some outages on parts of their own: calls time out, the breaker opens, the connection is given up. Some 80 ms. */
export async function warmUp(limits: readonly Limit[], nowUs: () => number): Promise<void> {
  const server = createServer(fallSilent);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  for (let i = 0; i < outages; i++) {
    const topology = connectSingle(
      { kind: 'single', host: '127.0.0.1', port, db: 0, username: undefined, password: undefined, tls: false },
      {
        timeoutMs: 1,
        socketTimeoutMs,
        nowUs,
        breakerFailures: 3,
        breakerResetMs: 1000,
        keysMax: takesPerOutage,
        onConnection: () => {},
        instances: () => 1,
        onAnswer: () => {},
        onError: () => {},
        onTransition: () => {},
      },
    );
    const reached = (event: string) => new Promise((resolve) => topology.client.once(event, resolve));
    const lost = reached('close');
    const fallback = new LocalStore({ keysMax: takesPerOutage, nowUs });
    const limiter = new Limiter({ topology, fallback, nowUs, onDecision: () => {} });
    await reached('ready');
    while (!topology.store.ready && topology.client.status === 'ready') await new Promise(setImmediate);
    for (let n = 0; n < takesPerOutage; n++) {
      await limiter.decide(takeOf(limits, `warm-up ${n}`, 1));
    }
    await lost;
    topology.close();
  }
  server.close();
}

/** Answers the first probe, and then no more. */
function fallSilent(socket: Socket): void {
  const replies = [`*2\r\n:${Date.now() * 1000}\r\n:0\r\n`];
  const hangUp = setTimeout(() => socket.destroy(), connectionMsMax);
  socket.on('close', () => clearTimeout(hangUp));
  socket.on('error', () => {});
  socket.on('data', () => {
    const reply = replies.shift();
    if (reply) socket.write(reply);
  });
}
