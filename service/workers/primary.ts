// The process in front of the workers: holds the ports, hands each connection to a worker in turn, keeps the workers
// alive, and knows what all of them together have counted. It decides nothing itself.
//
//   client ─▶ port ─▶ primary ── connection ──▶ worker 1 ─▶ Redis
//                        └────── connection ──▶ worker 2 ─▶ Redis
//
// The ports are the primary's own, not the workers': they are bound, or found taken, once and before any worker runs, and
// while no worker lives connections wait instead of being refused.

import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ForgivenDebt } from '../core/give-back.ts';
import type { Arrival } from '../doors/door.ts';
import { acceptBacklog, Ports, type PortsAddress } from '../doors/ports.ts';
import { type Readiness, readinessOf } from '../doors/readiness.ts';
import { pageOf, WorkersMetrics } from '../metrics/metrics.ts';
import type { Reloaded } from '../metrics/reload-metrics.ts';
import { topOf } from '../metrics/top-keys.ts';
import { type RedisAddress, secretsOf } from '../redis/options.ts';
import { type OutageCause, Outages, toLog } from '../redis/outages.ts';
import type { FromPrimary, FromWorker, Overview } from './messages.ts';
import { WorkerSlot } from './worker-slot.ts';

/** How long the workers have to answer; who is late to tell about itself counts with what it last said. */
const gatherMsMax = 500;

/** How long a stop waits for connections to be taken that were accepted before; some milliseconds are usual. */
const handOutMsMax = 1000;

export interface PrimaryOptions extends PortsAddress {
  /** How many. */
  readonly workers: number;
  /** Whose secrets no log line may show. */
  readonly redis: RedisAddress;
  /** What the sources say at the start, each by its name; the primary hands it on as it is. */
  readonly written: object;
}

/** What is told of what is not the primary's own. */
export interface PrimarySources {
  /** Where log lines go: how many could not be written. */
  readonly output: { readonly dropped: number };
  /** What the primary reads again. */
  readonly reloaded?: readonly Reloaded[];
}

/** Listens and starts the workers. Rejects when it cannot listen, or when a worker ends before any could decide. */
export async function startPrimary(
  options: PrimaryOptions,
  log: Logger,
  sources: PrimarySources,
  fork: (number: number) => ChildProcess,
): Promise<Primary> {
  const primary = new Primary(options, log, sources, fork);
  await primary.start();
  return primary;
}

export class Primary {
  readonly #options: PrimaryOptions;
  readonly #ports: Ports;
  readonly #slots: readonly WorkerSlot[];
  readonly #metrics: WorkersMetrics;
  /** Accepted, and not given to a worker yet. */
  readonly #waiting: Arrival[] = [];
  #stopping = false;
  /** Stopping: that nothing waits any more. */
  readonly #handedOut = Promise.withResolvers<void>();
  readonly #outages: Outages;
  readonly #gatherings = new Map<number, Gathering>();
  #gatheringsBegun = 0;
  #turn = 0;
  #written: object;
  readonly #firstReady = Promise.withResolvers<void>();

  constructor(
    options: PrimaryOptions,
    log: Logger,
    { output, reloaded = [] }: PrimarySources,
    fork: (number: number) => ChildProcess,
  ) {
    this.#options = options;
    this.#written = options.written;
    const nowUs = () => performance.now() * 1000;
    this.#outages = new Outages({ secrets: secretsOf(options.redis), nowUs, ...toLog(log) });
    this.#metrics = new WorkersMetrics({
      ready: () => this.#slots.filter(({ ready }) => ready).length,
      logLinesDropped: () => output.dropped,
      reloaded,
    });
    this.#slots = Array.from(
      { length: options.workers },
      (_, i) =>
        new WorkerSlot({
          number: i + 1,
          fork,
          log,
          greeting: () => ({ type: 'written', written: this.#written }),
          random: Math.random,
          onRestart: () => this.#metrics.restarted(),
          onMessage: (slot, message) => this.#receive(slot, message),
          onFree: () => this.#handOut(),
          onEnd: (slot, { ready, why, connection }) => {
            if (connection) this.#waiting.unshift(connection);
            this.#handOut();
            for (const gathering of this.#gatherings.values()) gathering.done(slot);
            if (!ready) this.#firstReady.reject(new Error(`worker ${slot.number} ended at its start (${why})`));
          },
        }),
    );
    this.#ports = new Ports({
      pauseOnConnect: true,
      onConnection: (arrival) => {
        if (this.#waiting.length >= acceptBacklog) return arrival.socket.destroy();
        this.#waiting.push(arrival);
        this.#handOut();
      },
    });
  }

  async start(): Promise<void> {
    await this.#ports.open(this.#options);
    for (const slot of this.#slots) slot.start();
    await this.#firstReady.promise;
  }

  /** Every worker decides by what is new from now on, also one that has yet to start. */
  setWritten(news: object): void {
    this.#written = { ...this.#written, ...news };
    for (const slot of this.#slots) slot.send({ type: 'written', written: news });
  }

  /** Lets every worker answer what was accepted, for at most `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    this.#ports.close();
    this.#handOut();
    await Promise.race([this.#handedOut.promise, sleep(handOutMsMax)]);
    await Promise.all(this.#slots.map((slot) => slot.stop(graceMs - handOutMsMax)));
  }

  #receive(slot: WorkerSlot, message: FromWorker): void {
    if (message.type === 'ready') this.#firstReady.resolve();
    if (message.type === 'ready' || message.type === 'taken') this.#handOut();
    if (message.type === 'report' || message.type === 'forgave') this.#gatherings.get(message.id)?.done(slot);
    if (message.type === 'forgiven') this.#passOn(slot, message.id, message.debts);
    if (message.type === 'outages') this.#mergeOutages(message.causes);
    if (message.type === 'ask') this.#answer(slot, message.id, message.what);
  }

  /** What all workers have, as if one had it. */
  #mergeOutages(news: readonly OutageCause[]): void {
    for (const cause of news) this.#outages.set(cause.shard, cause);
    const left = new Set(this.#slots.flatMap(({ outages }) => outages.map(({ shard }) => shard)));
    for (const { shard } of this.#outages.all) if (!left.has(shard)) this.#outages.set(shard, undefined);
  }

  /** Gives waiting connections to free workers, in turn. */
  #handOut(): void {
    for (let tried = 0; tried < this.#slots.length && this.#waiting.length > 0; tried++) {
      const slot = this.#slots[this.#turn++ % this.#slots.length];
      if (!slot?.free) continue;
      slot.give(this.#waiting.shift() as Arrival);
      tried = -1;
    }
    if (this.#stopping && this.#waiting.length === 0) this.#handedOut.resolve();
  }

  async #answer(slot: WorkerSlot, id: number, what: keyof Overview): Promise<void> {
    await this.#gather(this.#ready(), (requestId) => ({ type: 'report-request', id: requestId, what }));
    slot.send({ type: 'answer', id, value: await this.#overview(what) });
  }

  /** What a worker has given back, the others forgive too. One that is starting remembers nothing yet. */
  async #passOn(slot: WorkerSlot, id: number, debts: readonly ForgivenDebt[]): Promise<void> {
    const others = this.#ready().filter((other) => other !== slot);
    await this.#gather(others, (messageId) => ({ type: 'forgive', id: messageId, debts }));
    slot.send({ type: 'answer', id });
  }

  #ready(): readonly WorkerSlot[] {
    return this.#slots.filter(({ ready }) => ready);
  }

  /** Resolves when each of these workers has answered the message, or died, or is late. */
  async #gather(slots: readonly WorkerSlot[], messageOf: (id: number) => FromPrimary): Promise<void> {
    const id = this.#gatheringsBegun++;
    const gathering = new Gathering(slots);
    this.#gatherings.set(id, gathering);
    for (const slot of slots) slot.send(messageOf(id));
    await gathering.over;
    this.#gatherings.delete(id);
  }

  async #overview(what: keyof Overview): Promise<Overview[keyof Overview]> {
    switch (what) {
      case 'page':
        return this.#page();
      case 'readiness':
        return this.#readiness();
      case 'top':
        return topOf(this.#slots.flatMap(({ top }) => (top ? [top] : [])));
      default:
        return what satisfies never;
    }
  }

  async #page(): Promise<string> {
    return pageOf([...this.#slots.map((slot) => slot.metrics), await this.#metrics.all()]);
  }

  #readiness(): Readiness {
    const living = this.#slots.flatMap(({ number, readiness }) => (readiness ? [[number, readiness] as const] : []));
    return readinessOf(new Map(living));
  }
}

/** Who has yet to answer. */
class Gathering {
  readonly over: Promise<void>;
  readonly #missing: Set<WorkerSlot>;
  readonly #end: () => void;

  constructor(requested: readonly WorkerSlot[]) {
    this.#missing = new Set(requested);
    const { promise, resolve } = Promise.withResolvers<void>();
    const late = setTimeout(resolve, gatherMsMax);
    this.#end = () => {
      clearTimeout(late);
      resolve();
    };
    this.over = promise;
    if (requested.length === 0) this.#end();
  }

  done(slot: WorkerSlot): void {
    this.#missing.delete(slot);
    if (this.#missing.size === 0) this.#end();
  }
}
