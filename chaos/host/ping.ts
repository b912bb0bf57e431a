// The lab's own look through a store link: one command over a connection of its own, with nothing of the limiter in it.

import { connect } from 'node:net';
import { monotonicUs } from '../clock.ts';

export interface Ping {
  /** `pong`: the command was done. `other`: it was refused, or what came is no reply. */
  readonly outcome: 'pong' | 'refused' | 'closed' | 'silent' | 'other';
  readonly ms: number;
  /** The first line of what came, without its end; empty if none came whole. */
  readonly reply: string;
}

/** After it Redis closes the connection: then it is done, and not before. */
const quit = 'QUIT';
const pingCommand = ['PING'];
/** Also with an argument, which comes back. A Redis that lets nobody in lives all the same. */
const pongs = /^(\+PONG|\$|-NOAUTH|-NOPERM)/;
const replyBytesMax = 1000;

/** Never rejects; takes `timeoutMs` at most, and as long as the lab itself is held up. */
export function ping(
  host: string,
  port: number,
  timeoutMs: number,
  command: readonly string[] = pingCommand,
): Promise<Ping> {
  return new Promise((resolve) => {
    const startUs = monotonicUs();
    let received = '';
    const socket = connect({ host, port });
    const settle = (outcome: Ping['outcome'], reply = '') => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ outcome, ms: (monotonicUs() - startUs) / 1000, reply });
    };
    const take = () =>
      settle(isDone(received, command) ? 'pong' : 'other', received.slice(0, received.indexOf('\r\n')));
    // What waits in the socket, because the lab itself was held up, has come in time: it is read before the look is over.
    const timer = setTimeout(() => setImmediate(() => settle('silent')), timeoutMs);
    socket.setNoDelay(true);
    socket.on('connect', () => socket.write(encoded(command)));
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text;
      if (received.includes('\r\n')) {
        if (command[0] !== quit) take();
      } else if (!/^[+\-:$]/.test(received) || received.length > replyBytesMax) settle('other');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => settle(error.code === 'ECONNREFUSED' ? 'refused' : 'closed'));
    socket.on('close', () => (received.includes('\r\n') ? take() : settle('closed')));
  });
}

function isDone(reply: string, command: readonly string[]): boolean {
  return command[0] === pingCommand[0] ? pongs.test(reply) : !reply.startsWith('-');
}

/** As Redis takes it. */
export function encoded(command: readonly string[]): string {
  return `*${command.length}\r\n${command.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}
