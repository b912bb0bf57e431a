// One of the primary's workers, and whoever takes its place when it dies: started again after a wait that doubles with
// each early death. What the dead had counted stays with the slot, so no sum over the slots ever falls.
//
//   start ─▶ ready ─▶ takes connections ─▶ ends ─ restartMs ─▶ start

import type { ChildProcess } from 'node:child_process';
import type { Logger } from 'pino';
import type { Arrival } from '../doors/door.ts';
import type { Readiness } from '../doors/readiness.ts';
import { lastingOf, type MetricsSnapshot, sumOf } from '../metrics/metrics.ts';
import type { TopKeys } from '../metrics/top-keys.ts';
import type { OutageCause } from '../redis/outages.ts';
import type { FromPrimary, FromWorker } from './messages.ts';

export interface WorkerSlotOptions {
  /** From 1. */
  readonly number: number;
  readonly fork: (number: number) => ChildProcess;
  readonly log: Logger;
  /** What every worker is told first. */
  readonly greeting: () => FromPrimary;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  /** Another worker starts in the place of one that ended. */
  readonly onRestart: () => void;
  readonly onMessage: (slot: WorkerSlot, message: FromWorker) => void;
  /** The worker can be given a connection again. */
  readonly onFree: () => void;
  readonly onEnd: (slot: WorkerSlot, ended: WorkerEnd) => void;
}

export interface WorkerEnd {
  /** It had come so far that it could decide. */
  readonly ready: boolean;
  /** The exit status or the signal. */
  readonly why: string;
  /** It was given this one and did not take it. */
  readonly connection: Arrival | undefined;
}

/** A worker that hangs, or has no descriptor left, is not waited for longer. */
const takenMsMax = 5000;

const restartMsMin = 100;
const restartMsMax = 10_000;
/** Who lived so long did not die of its start. */
const settledMs = 10_000;

/** Of a worker's grace, what is kept for its end and ours. */
const endingMs = 500;

/** Wait before the next start, in milliseconds, after so many early deaths in a row (1 or more). */
export function restartMs(deathsInARow: number, random: () => number): number {
  return Math.round(Math.min(restartMsMin * 2 ** (deathsInARow - 1), restartMsMax) * (0.5 + random() / 2));
}

export class WorkerSlot {
  readonly number: number;
  readonly #options: WorkerSlotOptions;
  #child: ChildProcess | undefined;
  #state: 'down' | 'starting' | 'ready' | 'stopping' = 'down';
  /** Given to it, and it has not said yet that it has it. */
  #given: Arrival | undefined;
  #givenTooLong: NodeJS.Timeout | undefined;
  #startedAtMs = 0;
  #deathsInARow = 0;
  #restart: NodeJS.Timeout | undefined;
  /** What the living worker last said, by metric. */
  readonly #metrics = new Map<string, MetricsSnapshot[number]>();
  /** What its dead predecessors had counted. */
  #lasting: MetricsSnapshot = [];
  #readiness: Readiness | undefined;
  #outages: readonly OutageCause[] = [];
  #top: TopKeys | undefined;

  constructor(options: WorkerSlotOptions) {
    this.#options = options;
    this.number = options.number;
  }

  start(): void {
    clearTimeout(this.#restart);
    const child = this.#options.fork(this.number);
    this.#child = child;
    this.#state = 'starting';
    this.#startedAtMs = performance.now();
    this.#options.log.info({ worker: this.number, workerPid: child.pid }, `worker ${this.number} started`);
    this.send(this.#options.greeting());
    child.on('message', (message: FromWorker) => {
      if (child === this.#child) this.#receive(message);
    });
    child.on('error', (error) => {
      if (child.pid === undefined) this.#ended(child, error.message); // never started; of all else, its exit tells
    });
    child.on('exit', (code, signal) => this.#ended(child, signal ?? `status ${code}`));
  }

  /** Its worker can decide. */
  get ready(): boolean {
    return this.#state === 'ready';
  }

  /** It can be given a connection now. One at a time: so a worker that hangs holds up one and not all. */
  get free(): boolean {
    return this.#state === 'ready' && !this.#given && this.#child?.connected === true;
  }

  /** What this slot's workers, dead and living, have counted together. */
  get metrics(): MetricsSnapshot {
    return sumOf([this.#lasting, [...this.#metrics.values()]]);
  }

  /** What the living worker last said of itself. */
  get readiness(): Readiness | undefined {
    return this.#readiness;
  }

  /** What the living worker has with Redis. */
  get outages(): readonly OutageCause[] {
    return this.#outages;
  }

  /** Whose requests the living worker refuses most, by what it last said. */
  get top(): TopKeys | undefined {
    return this.#top;
  }

  give(connection: Arrival): void {
    const { door, socket } = connection;
    this.#taken();
    this.#given = connection;
    this.#givenTooLong = setTimeout(() => {
      this.#taken();
      this.#options.onFree();
    }, takenMsMax);
    // Kept open here until it is taken there: Node would forget it if the worker died in between.
    this.#child?.send({ type: 'connection', door } satisfies FromPrimary, socket, { keepOpen: true }, () => {});
  }

  send(message: FromPrimary): void {
    this.#child?.send(message, () => {}); // it may have died; its exit says so
  }

  /** Lets it answer what it has; ends it by force after `graceMs`. Never starts again. */
  async stop(graceMs: number): Promise<void> {
    clearTimeout(this.#restart);
    const child = this.#child;
    this.#state = 'stopping';
    if (!child) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    this.send({ type: 'stop', graceMs: Math.max(0, graceMs - endingMs) });
    const force = setTimeout(() => child.kill('SIGKILL'), graceMs);
    await gone;
    clearTimeout(force);
  }

  #receive(message: FromWorker): void {
    if (message.type === 'ready' && this.#state === 'starting') this.#state = 'ready';
    if (message.type === 'taken') this.#taken();
    if ('metrics' in message) for (const metric of message.metrics) this.#metrics.set(metric.name, metric);
    if ('readiness' in message) this.#readiness = message.readiness;
    if (message.type === 'outages') this.#outages = message.causes;
    if ('top' in message) this.#top = message.top;
    this.#options.onMessage(this, message);
  }

  /** The worker has the connection, or has had its time: either way it is no longer ours. */
  #taken(): void {
    clearTimeout(this.#givenTooLong);
    this.#given?.socket.destroy();
    this.#given = undefined;
  }

  #ended(child: ChildProcess, why: string): void {
    if (child !== this.#child) return;
    // Dead, but perhaps not heard to the end.
    if (child.pid !== undefined && child.connected) return void setImmediate(() => this.#ended(child, why));
    const ready = this.#state === 'ready';
    const connection = this.#given;
    this.#given = undefined;
    this.#taken();
    this.#child = undefined;
    this.#lasting = sumOf([this.#lasting, lastingOf([...this.#metrics.values()])]);
    this.#metrics.clear();
    this.#readiness = undefined;
    this.#outages = [];
    this.#top = undefined;
    if (this.#state !== 'stopping') {
      this.#state = 'down';
      const livedMs = performance.now() - this.#startedAtMs;
      this.#deathsInARow = livedMs < settledMs ? this.#deathsInARow + 1 : 1;
      const afterMs = restartMs(this.#deathsInARow, this.#options.random);
      this.#options.log.error(
        { worker: this.number, why, afterMs },
        `worker ${this.number} ended (${why}); the next one starts in ${afterMs} ms`,
      );
      this.#restart = setTimeout(() => {
        this.#options.onRestart();
        this.start();
      }, afterMs);
    }
    this.#options.onEnd(this, { ready, why, connection });
  }
}
