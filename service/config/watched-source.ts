// A source of a running service: read again when it changes, and when somebody says so. What is wrong changes nothing: what
// was read before stays in force.
//
//   stat, twice alike ─▶ changed? ─▶ thread reads ─▶ what it says, or mistakes ─▶ told
//
// It is looked at by its path, again and again: editors put another file in its place, Kubernetes turns a link to another
// folder, and a file of another machine announces nothing.

import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { Logger } from 'pino';
import type { Reloads } from '../metrics/reload-metrics.ts';
import { rulesFilesIn } from './rls/files.ts';
import type { SourceName, Written } from './source.ts';
import { SourceReader } from './source-reader.ts';
import type { SourceQuestion } from './source-thread.ts';

/** How often it is looked at. A file that differs between two looks is still being written, and waits for the next. */
const lookMs = 100;

/** What each source is a list of. */
const nouns = { policies: 'policies', rules: 'domains of rules' } as const;

export interface WatchedSourceOptions extends SourceQuestion {
  /** What was read there at the start. */
  readonly written: Written[SourceName];
}

export class WatchedSource {
  readonly #source: WatchedSourceOptions;
  readonly #log: Logger;
  readonly #reader = new SourceReader();
  #reloads: Reloads;
  /** As it was when it was last read; undefined before that. */
  #read: string | undefined;
  /** As it was at the last look. */
  #seen: string | undefined;
  #wasAsked = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(source: WatchedSourceOptions, log: Logger) {
    this.#source = source;
    this.#log = log;
    const hash = hashOf(source.written);
    this.#reloads = { accepted: 0, refused: 0, isLastAccepted: true, loadedAt: Date.now() / 1000, hash };
  }

  get name(): SourceName {
    return this.#source.name;
  }

  get reloads(): Reloads {
    return this.#reloads;
  }

  /** From now on tells what is another than before, and the same where somebody asked for it. */
  watch(onWritten: (written: Written) => void): void {
    this.#reader.start();
    this.#timer = setTimeout(async () => {
      await this.#look(onWritten);
      this.#timer?.refresh();
    }, lookMs);
  }

  /** Reads it at the next look, changed or not. */
  reload(): void {
    this.#wasAsked = true;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #look(onWritten: (written: Written) => void): Promise<void> {
    const { name, path, options } = this.#source;
    const now = await signatureOf(name, path);
    const isSettled = now === this.#seen;
    this.#seen = now;
    const wasAsked = this.#wasAsked;
    if (!wasAsked && (!isSettled || now === this.#read)) return;
    this.#wasAsked = false;
    this.#read = now;
    const reading = await this.#reader.read({ name, path, options });
    if ('mistakes' in reading) this.#refuse(reading.mistakes);
    else if (this.#accept(reading, wasAsked)) onWritten({ [name]: reading });
  }

  /** Whether it is news. */
  #accept(written: NonNullable<Written[SourceName]>, wasAsked: boolean): boolean {
    const hash = hashOf(written);
    const { accepted, isLastAccepted, hash: inForce } = this.#reloads;
    if (!wasAsked && isLastAccepted && hash === inForce) return false;
    const loadedAt = Date.now() / 1000;
    this.#reloads = { ...this.#reloads, accepted: accepted + 1, isLastAccepted: true, loadedAt, hash };
    const { name, path } = this.#source;
    this.#log.info({ [name]: written.length, hash }, `${path} is read again: ${written.length} ${nouns[name]}`);
    return true;
  }

  #refuse(mistakes: readonly string[]): void {
    this.#reloads = { ...this.#reloads, refused: this.#reloads.refused + 1, isLastAccepted: false };
    const { name, path } = this.#source;
    this.#log.error({ mistakes }, `${path} is refused, and the ${name} stay as they are`);
  }
}

/** What is another when the file is, or what it says, or one of the files of a directory: also where a link leads to it. */
async function signatureOf(name: SourceName, path: string): Promise<string> {
  try {
    const paths = name === 'rules' ? await rulesFilesIn(path) : [path];
    const stats = await Promise.all(paths.map((each) => stat(each, { bigint: true })));
    return stats.map(({ dev, ino, size, mtimeNs, ctimeNs }) => [dev, ino, size, mtimeNs, ctimeNs].join()).join(' ');
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

function hashOf(written: Written[SourceName]): number {
  return createHash('sha256').update(JSON.stringify(written)).digest().readUIntBE(0, 6);
}
