// The run that the console has just started, followed by the file that it writes.

import { join } from 'node:path';
import type { HistoryEvent } from '../history.ts';
import { isFile } from '../host/run-files.ts';
import type { PastRuns } from './past-runs.ts';
import { Tail } from './tail.ts';

/** Finds the directory that a run has made, and follows its events. */
export class Following implements Disposable {
  readonly #past: PastRuns;
  readonly #before: ReadonlySet<string>;
  readonly #ending: string;
  #tail: Tail | undefined;
  #isLost = false;
  name: string | undefined;

  constructor(past: PastRuns, before: ReadonlySet<string>, ending: string) {
    this.#past = past;
    this.#before = before;
    this.#ending = ending;
  }

  /** Throws when they cannot be read, and finds none from then on. */
  read(): HistoryEvent[] {
    this.name ??= this.#past.names().find((name) => !this.#before.has(name) && this.#isNamed(name));
    if (this.name === undefined || this.#isLost) return [];
    const path = join(this.#past.directory, this.name, 'events.ndjson');
    try {
      if (!this.#tail && isFile(path)) this.#tail = new Tail(path);
      return this.#tail?.read() ?? [];
    } catch (error) {
      this.#isLost = true;
      throw error;
    }
  }

  #isNamed(name: string): boolean {
    const rest = name.slice(name.indexOf(this.#ending));
    return rest === this.#ending || (rest.startsWith(`${this.#ending}-`) && /-\d+$/.test(rest));
  }

  [Symbol.dispose](): void {
    this.#tail?.[Symbol.dispose]();
  }
}
