// Writes events.ndjson as things happen. Whatever has been recorded is in the file, also after a crash.

import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { LabError } from '../errors.ts';
import type { HistoryEvent } from '../history.ts';
import { boundLogs } from '../host/bounded-logs.ts';
import { asOutput, makeDirectory, mustBeReplaceable, replaceLink } from '../host/run-files.ts';

export class Recorder implements Disposable {
  readonly directory: string;
  readonly events: HistoryEvent[] = [];
  readonly #fd: number;
  #closed = false;
  readonly #onError: (error: Error) => void;
  readonly #latest: string;
  readonly #listeners: ((event: HistoryEvent) => void)[] = [];

  /**
   * Creates the run's directory under `out`. From the first event on `latest` points there at it. `onError` is told when
   * writing fails. Throws a `UsageError` when `out` is nowhere to write to.
   */
  constructor(out: string, scenario: string, seed: number, now: Date, onError: (error: Error) => void) {
    this.#onError = onError;
    const time = now.toISOString().replace(/[-:]|\.\d+/g, '');
    this.#latest = join(out, 'latest');
    this.directory = asOutput(out, () => {
      makeDirectory(out);
      mustBeReplaceable(this.#latest);
      return freshDirectory(join(out, `${time}-${scenario}-${seed}`));
    });
    mkdirSync(this.logs);
    this.#fd = openSync(join(this.directory, 'events.ndjson'), 'ax');
  }

  /** Where the parts' output goes. */
  get logs(): string {
    return join(this.directory, 'logs');
  }

  /** Told of each event once it is in the file. */
  onEvent(listener: (event: HistoryEvent) => void): void {
    this.#listeners.push(listener);
  }

  record(...events: readonly HistoryEvent[]): void {
    if (this.#closed) return; // what still happens while a stopped run unwinds
    try {
      if (this.events.length === 0) replaceLink(this.#latest, basename(this.directory));
    } catch (error) {
      this.#onError(new LabError(`${this.#latest} cannot be pointed at the run: ${(error as Error).message}`));
    }
    this.events.push(...events);
    try {
      writeFileSync(this.#fd, events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    } catch (error) {
      this.#onError(new LabError(`${this.directory}/events.ndjson cannot be written: ${(error as Error).message}`));
    }
    for (const listener of this.#listeners) for (const event of events) listener(event);
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    closeSync(this.#fd);
    boundLogs(this.logs); // by now all parts have ended
  }
}

/** Creates it, or the first of `path-2`, `path-3`, … that does not exist. */
function freshDirectory(path: string): string {
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? path : `${path}-${n}`;
    try {
      mkdirSync(candidate);
      return candidate;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}
