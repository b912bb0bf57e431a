// Cuts an events file into its lines, piece by piece, so that a file may be longer than memory and a line is never more
// of it than a megabyte.

import type { HistoryEvent } from '../history.ts';
import { eventOf } from './event-shape.ts';
import { Version1 } from './version-1.ts';
import { version2 } from './version-2.ts';

const lineBytesMax = 1 << 20;
const newline = 0x0a;

type Line = Readonly<Record<string, unknown>>;

/** Makes lines of one version into those of the next. */
interface Upgrade {
  readonly upgraded: (line: Line) => Line;
}

export class EventLines {
  readonly #onEvent: (event: HistoryEvent) => void;
  readonly #onMistake: (line: number, mistake: string) => void;
  /** Of the line that has no end yet. */
  #begun: Buffer[] = [];
  #begunBytes = 0;
  #line = 1;
  /** Of a file of an older lab, in the order in which they make it one of today. */
  #upgrades: readonly Upgrade[] = [];

  /** `mistake`: why a line is no event, as one sentence without its full stop. */
  constructor(onEvent: (event: HistoryEvent) => void, onMistake: (line: number, mistake: string) => void) {
    this.#onEvent = onEvent;
    this.#onMistake = onMistake;
  }

  /** The next bytes of the file. They may be overwritten afterwards. */
  take(bytes: Buffer): void {
    let from = 0;
    for (let to = bytes.indexOf(newline); to !== -1; to = bytes.indexOf(newline, from)) {
      this.#add(bytes.subarray(from, to));
      this.#endLine();
      from = to + 1;
    }
    this.#add(Buffer.from(bytes.subarray(from)));
  }

  /** The file has ended; false when it does so in the middle of a line. */
  end(): boolean {
    if (this.#begunBytes > lineBytesMax) return false;
    const text = this.#text();
    const event = this.#eventOf(text);
    if (typeof event === 'object') this.#onEvent(event);
    return typeof event !== 'string';
  }

  #add(bytes: Buffer): void {
    this.#begunBytes += bytes.length;
    if (this.#begunBytes > lineBytesMax) this.#begun = [];
    else if (bytes.length > 0) this.#begun.push(bytes);
  }

  #endLine(): void {
    if (this.#begunBytes > lineBytesMax) this.#onMistake(this.#line, 'it is longer than 1 MiB');
    else {
      const text = this.#text();
      const event = this.#eventOf(text);
      if (typeof event === 'string') this.#onMistake(this.#line, event);
      else if (event) this.#onEvent(event);
    }
    this.#begun = [];
    this.#begunBytes = 0;
    this.#line++;
  }

  #eventOf(text: string): HistoryEvent | string | undefined {
    if (text.trim() === '') return undefined;
    return eventOf(text, (line) => {
      if (this.#upgrades.length === 0) this.#upgrades = upgradesFor(line);
      return this.#upgrades.reduce((line, version) => version.upgraded(line), line);
    });
  }

  #text(): string {
    const [only] = this.#begun;
    return (this.#begun.length === 1 && only ? only : Buffer.concat(this.#begun)).toString('utf8');
  }
}

/** What a file needs whose line this is; nothing until the line that tells of the run. */
function upgradesFor(line: Line): readonly Upgrade[] {
  if (line.type !== 'run') return [];
  if (line.version === 1) return [new Version1(line), version2];
  return line.version === 2 ? [version2] : [];
}
