// One of several processes that decide: the same service as when it is alone, with its share of what is per instance.
// Connections come from the primary instead of a port, and what /metrics and /readyz say is asked of it, since a client
// cannot choose whom it asks.

import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { ForgivenDebt } from '../core/give-back.ts';
import type { Arrival } from '../doors/door.ts';
import type { ApiOptions } from '../doors/http.ts';
import { unavailable } from '../doors/json/refusal.ts';
import type { Readiness } from '../doors/readiness.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { TopKeys } from '../metrics/top-keys.ts';
import type { OutageCause } from '../redis/outages.ts';
import type { FromPrimary, FromWorker, Overview } from './messages.ts';

const countedEveryMs = 1000;
/** Longer than the primary waits for the other workers. */
const answerMsMax = 1000;

/** What a worker runs: a service that is given its connections. */
export interface WorkerService {
  readonly accept: (arrival: Arrival) => void;
  readonly metrics: Pick<Metrics, 'all' | 'counts'>;
  readonly readiness: () => Readiness;
  /** Decides by what is new from the next request on. */
  setWritten(news: object): void;
  readonly top: () => TopKeys;
  /** Follows what another worker has given back. */
  readonly forgive: (debts: readonly ForgivenDebt[]) => Promise<void>;
  readonly stop: (graceMs: number) => Promise<void>;
}

/** The primary, as a worker asks it: it answers for the whole service. */
export interface PrimaryClient extends Pick<ApiOptions, 'page' | 'readiness'> {
  /** Called with all outages of this process when there is news of them. */
  readonly onOutages: (causes: readonly OutageCause[]) => void;
  readonly top: () => Promise<TopKeys>;
  /** Resolves when the other workers have forgiven it too, or are late with it; what they remember is bounded in time. */
  readonly onForgiven: (debts: readonly ForgivenDebt[]) => Promise<void>;
}

/** `written`: what the sources say. */
export type CreateService = (primary: PrimaryClient, written: object) => Promise<WorkerService>;

/** Serves until the primary says stop, or is gone. */
export async function work(create: CreateService, graceMs: number): Promise<void> {
  const questions = new Questions();
  const [first] = (await once(process, 'message')) as [Extract<FromPrimary, { type: 'written' }>]; // later ones wait for a listener
  const { accept, metrics, readiness, setWritten, top, forgive, stop } = await create(
    {
      page: () => questions.ask('page'),
      readiness: () => questions.ask('readiness').catch(() => readiness()), // it decides all the same
      onOutages: (causes) => send({ type: 'outages', causes }),
      top: () => questions.ask('top'),
      onForgiven: (debts) => questions.tell(debts),
    },
    first.written,
  );

  const all = async () => ({ metrics: await metrics.all(), readiness: readiness() });
  const stopped = Promise.withResolvers<number>();
  process.on('message', async (message: FromPrimary, socket: Socket | undefined) => {
    if (message.type === 'connection') {
      send({ type: 'taken' });
      if (!socket) return; // its client has gone
      socket.allowHalfOpen = true; // as where it was accepted; it is lost on the way here
      accept({ door: message.door, socket });
      socket.resume();
    }
    if (message.type === 'written') setWritten(message.written);
    if (message.type === 'report-request') {
      const { id, what } = message;
      send({ type: 'report', id, ...(await all()), ...(what === 'top' ? { top: top() } : {}) });
    }
    if (message.type === 'forgive') {
      await forgive(message.debts);
      send({ type: 'forgave', id: message.id });
    }
    if (message.type === 'answer') questions.answer(message.id, message.value);
    if (message.type === 'stop') stopped.resolve(message.graceMs);
  });
  process.on('disconnect', () => stopped.resolve(graceMs));
  if (!process.connected) stopped.resolve(graceMs);
  const counting = setInterval(async () => send({ type: 'counted', metrics: await metrics.counts() }), countedEveryMs);
  send({ type: 'ready', ...(await all()) });

  await stop(await stopped.promise);
  clearInterval(counting);
}

function send(message: FromWorker): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {}); // nobody to hear it: the end is near
}

/** What was asked of the primary and is not answered yet. */
class Questions {
  readonly #open = new Map<number, (value: Overview[keyof Overview] | undefined) => void>();
  #requested = 0;

  /** Rejects with a `Refusal` when it is late. */
  async ask<What extends keyof Overview>(what: What): Promise<Overview[What]> {
    const value = await this.#answerTo((id) => ({ type: 'ask', id, what }));
    if (value === undefined)
      throw unavailable(`The primary process did not report the ${what} within ${answerMsMax} ms.`);
    return value as Overview[What]; // the primary answers what was asked
  }

  async tell(debts: readonly ForgivenDebt[]): Promise<void> {
    await this.#answerTo((id) => ({ type: 'forgiven', id, debts }));
  }

  answer(id: number, value: Overview[keyof Overview] | undefined): void {
    this.#open.get(id)?.(value);
    this.#open.delete(id);
  }

  /** undefined where it is late. */
  #answerTo(messageOf: (id: number) => FromWorker): Promise<Overview[keyof Overview] | undefined> {
    const id = this.#requested++;
    return new Promise((resolve) => {
      const late = setTimeout(() => this.answer(id, undefined), answerMsMax);
      this.#open.set(id, (value) => {
        clearTimeout(late);
        resolve(value);
      });
      send(messageOf(id));
    });
  }
}
