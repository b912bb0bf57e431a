// One of several processes that decide: the same service as when it is alone, with its share of what is per instance.
// Connections come from the primary instead of a port, and what /metrics and /readyz say is asked of it, since a client
// cannot choose whom it asks.

import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { createService } from '../app.ts';
import type { Config } from '../config/env.ts';
import type { LogOutput } from '../log-output.ts';
import type { FromPrimary, FromWorker, Overview } from './messages.ts';

const countedEveryMs = 1000;
/** Longer than the primary waits for the other workers. */
const answerMsMax = 1000;

/** Serves until the primary says stop, or is gone. */
export async function work(config: Config, log: Logger, output: LogOutput, graceMs: number): Promise<void> {
  const questions = new Questions();
  const { server, metrics, readiness, stop } = await createService(shareOf(config), log, output, {
    page: () => questions.ask('page'),
    readiness: () => questions.ask('readiness'),
  });
  server.emit('listening'); // a server that is handed its connections checks no time limits until it believes to listen

  const all = async () => ({ metrics: await metrics.all(), readiness: readiness() });
  const stopped = Promise.withResolvers<number>();
  process.on('message', async (message: FromPrimary, socket: Socket | undefined) => {
    if (message.type === 'connection') {
      say({ type: 'taken' });
      if (!socket) return; // its client has gone
      server.emit('connection', socket);
      socket.resume();
    }
    if (message.type === 'tell') {
      say({ type: 'told', id: message.id, ...(await all()) });
    }
    if (message.type === 'answer') questions.answer(message.id, message.value);
    if (message.type === 'stop') stopped.resolve(message.graceMs);
  });
  process.on('disconnect', () => stopped.resolve(graceMs));
  if (!process.connected) stopped.resolve(graceMs);
  const counting = setInterval(async () => say({ type: 'counted', metrics: await metrics.counts() }), countedEveryMs);
  say({ type: 'ready', ...(await all()) });

  await stop(await stopped.promise);
  clearInterval(counting);
}

/** A worker's part of what one instance has. */
export function shareOf(config: Config): Config {
  const { workers, instances, fallbackPolicy, fallbackKeysMax } = config;
  return {
    ...config,
    fallbackPolicy: { ...fallbackPolicy, capacity: Math.max(1, Math.floor(fallbackPolicy.capacity / workers)) },
    fallbackKeysMax: Math.max(1, Math.floor(fallbackKeysMax / workers)),
    instances: instances === undefined ? undefined : instances * workers,
  };
}

function say(message: FromWorker): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {}); // nobody to hear it: the end is near
}

/** What was asked of the primary and is not answered yet. */
class Questions {
  readonly #open = new Map<number, (value: Overview[keyof Overview]) => void>();
  #asked = 0;

  ask<What extends keyof Overview>(what: What): Promise<Overview[What]> {
    const id = this.#asked++;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this.#open.delete(id);
        reject(new Error(`the primary did not tell the ${what} within ${answerMsMax} ms`));
      }, answerMsMax);
      this.#open.set(id, (value) => {
        clearTimeout(late);
        resolve(value as Overview[What]); // the primary answers what was asked
      });
      say({ type: 'ask', id, what });
    });
  }

  answer(id: number, value: Overview[keyof Overview]): void {
    this.#open.get(id)?.(value);
    this.#open.delete(id);
  }
}
