// The lab's own look at a limiter as its clients see it: one GET over a connection of its own.

import { get } from 'node:http';
import { monotonicUs } from '../clock.ts';
import type { Ping } from './ping.ts';

/** Next to nothing to do for a limiter, where it has such a path; any whole answer will do. */
export const livenessPath = '/healthz';

/** `pong`: a whole answer came, whatever it says. Never rejects; takes `msMax` at most, as `ping` does. */
export function httpLook(url: string, msMax: number): Promise<Ping> {
  return new Promise((resolve) => {
    const startUs = monotonicUs();
    const request = get(url, { agent: false });
    const settle = (outcome: Ping['outcome'], reply = '') => {
      clearTimeout(timer);
      request.destroy();
      resolve({ outcome, ms: (monotonicUs() - startUs) / 1000, reply });
    };
    const timer = setTimeout(() => setImmediate(() => settle('silent')), msMax); // as in `ping`
    request.on('response', (response) => {
      const { statusCode } = response;
      response.on('close', () => settle(response.complete ? 'pong' : 'closed', String(statusCode)));
      response.on('error', () => settle('closed'));
      response.resume();
    });
    request.on('error', (error: NodeJS.ErrnoException) => settle(error.code === 'ECONNREFUSED' ? 'refused' : 'closed'));
  });
}
