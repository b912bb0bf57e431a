// The lab's own look through a store link: one PING over a connection of its own, with nothing of the limiter in it.

import { connect } from 'node:net';
import { monotonicUs } from '../clock.ts';

export type Ping =
  | { readonly outcome: 'pong'; readonly ms: number }
  | { readonly outcome: 'refused' | 'closed' | 'silent' | 'other'; readonly ms: number };

/** Never rejects; takes `timeoutMs` at most. */
export function ping(host: string, port: number, timeoutMs: number): Promise<Ping> {
  return new Promise((resolve) => {
    const startUs = monotonicUs();
    const socket = connect({ host, port });
    const settle = (outcome: Ping['outcome']) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ outcome, ms: (monotonicUs() - startUs) / 1000 });
    };
    const timer = setTimeout(() => settle('silent'), timeoutMs);
    socket.setNoDelay(true);
    socket.on('connect', () => socket.write('*1\r\n$4\r\nPING\r\n'));
    socket.on('data', (data) => settle(/^[+-](PONG|NOAUTH|NOPERM)/.test(data.toString('latin1')) ? 'pong' : 'other'));
    socket.on('error', (error: NodeJS.ErrnoException) => settle(error.code === 'ECONNREFUSED' ? 'refused' : 'closed'));
    socket.on('close', () => settle('closed'));
  });
}
