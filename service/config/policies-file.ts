// The policies file of a running service: read again when it changes, and when somebody says so. What is wrong changes
// nothing: the policies before it stay.
//
//   stat, twice alike ─▶ changed? ─▶ thread reads ─▶ policies, or mistakes ─▶ told
//
// It is looked at by its path, again and again: editors put another file in its place, Kubernetes turns a link to another
// folder, and a file of another machine announces nothing.

import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { Logger } from 'pino';
import type { Reloads } from '../metrics/reload-metrics.ts';
import type { PoliciesOptions } from './policies.ts';
import { PoliciesReader } from './policies-reader.ts';
import type { WrittenPolicy } from './policies-shape.ts';

/** How often it is looked at. A file that differs between two looks is still being written, and waits for the next. */
const lookMs = 100;

export interface PoliciesFileOptions {
  readonly path: string;
  readonly options: PoliciesOptions;
  /** What was read from it at the start. */
  readonly written: readonly WrittenPolicy[];
}

export class PoliciesFile {
  readonly #file: PoliciesFileOptions;
  readonly #log: Logger;
  readonly #reader = new PoliciesReader();
  #reloads: Reloads;
  /** As it was when it was last read; undefined before that. */
  #read: string | undefined;
  /** As it was at the last look. */
  #seen: string | undefined;
  #wasAsked = false;
  #wasRefused = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(file: PoliciesFileOptions, log: Logger) {
    this.#file = file;
    this.#log = log;
    this.#reloads = { accepted: 0, refused: 0, loadedAt: Date.now() / 1000, hash: hashOf(file.written) };
  }

  get reloads(): Reloads {
    return this.#reloads;
  }

  /** From now on tells other policies than before, and the same where somebody asked for them. */
  watch(onPolicies: (written: readonly WrittenPolicy[]) => void): void {
    this.#reader.start();
    this.#timer = setTimeout(async () => {
      await this.#look(onPolicies);
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

  async #look(onPolicies: (written: readonly WrittenPolicy[]) => void): Promise<void> {
    const { path, options } = this.#file;
    const now = await signatureOf(path);
    const isSettled = now === this.#seen;
    this.#seen = now;
    const wasAsked = this.#wasAsked;
    if (!wasAsked && (!isSettled || now === this.#read)) return;
    this.#wasAsked = false;
    this.#read = now;
    const reading = await this.#reader.read({ path, options });
    if ('mistakes' in reading) this.#refuse(reading.mistakes);
    else if (this.#accept(reading, wasAsked)) onPolicies(reading);
  }

  /** Whether it is news. */
  #accept(written: readonly WrittenPolicy[], wasAsked: boolean): boolean {
    const hash = hashOf(written);
    const isNews = wasAsked || this.#wasRefused || hash !== this.#reloads.hash;
    this.#wasRefused = false;
    if (!isNews) return false;
    this.#reloads = { ...this.#reloads, accepted: this.#reloads.accepted + 1, loadedAt: Date.now() / 1000, hash };
    this.#log.info({ policies: written.length, hash }, `${this.#file.path} is read again: ${written.length} policies`);
    return true;
  }

  #refuse(mistakes: readonly string[]): void {
    this.#wasRefused = true;
    this.#reloads = { ...this.#reloads, refused: this.#reloads.refused + 1 };
    this.#log.error({ mistakes }, `${this.#file.path} is refused, and the policies stay as they are`);
  }
}

/** What is another when the file is, or what it says: also when a link leads to another one. */
async function signatureOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join();
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

function hashOf(written: readonly WrittenPolicy[]): number {
  return createHash('sha256').update(JSON.stringify(written)).digest().readUIntBE(0, 6);
}
