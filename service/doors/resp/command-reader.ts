// Reads the commands that a client of Redis sends, from pieces that end anywhere. A byte is a character (latin1), and nothing
// is looked at twice. Bounded in all that a client may make long; what is against the protocol is told in Redis's words.
//
//   *5 $11 CL.THROTTLE $5 alice $2 15 $2 30 $2 60 ─▶ ['CL.THROTTLE', 'alice', '15', '30', '60']
//   CL.THROTTLE alice 15 30 60                    ─▶ the same, typed by hand

import { wordsOf } from './inline.ts';

/** The name first. */
export type Command = readonly string[];

/** Bytes of a line, be it typed by hand. */
const lineMax = 16_384;
/** Bytes of one argument. */
const bulkMax = 16_384;
const argumentsMax = 1024;
/** Bytes of all arguments of a command. */
const commandMax = 65_536;
/** Of who has not said who it is: as much as that takes. */
const strangersMax = { arguments: 10, bulk: 1024 };

/** The client does not keep to the protocol, or to the bounds: nothing that it sends can be read any more. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

export class CommandReader {
  #text = '';
  /** Of what is not read yet. */
  #at = 0;
  /** Up to where there is no end of a line. */
  #searched = 0;
  #arguments: string[] = [];
  /** Arguments of the command that are yet to come; 0 between commands. */
  #missing = 0;
  #bytes = 0;
  /** Of the argument that comes next; -1 before that is known. */
  #bulkLength = -1;

  add(chunk: Buffer): void {
    this.#text = this.#text.slice(this.#at) + chunk.toString('latin1');
    this.#searched -= this.#at;
    this.#at = 0;
  }

  /** A part of a command has come, and not the rest. */
  get isInside(): boolean {
    return this.#missing > 0 || this.#at < this.#text.length;
  }

  /**
   * The next command; undefined until all of it has come. `isKnown`: the client has said who it is. Throws a `ProtocolError`,
   * and is of no more use then.
   */
  next(isKnown: boolean): Command | undefined {
    for (;;) {
      if (this.#missing === 0) {
        if (this.#text.charCodeAt(this.#at) !== asterisk) {
          if (this.#at >= this.#text.length) return undefined;
          const line = this.#line('too big inline request');
          if (line === undefined) return undefined;
          const words = wordsOf(line);
          if (!words) throw new ProtocolError('unbalanced quotes in request');
          if (words.length === 0) continue; // an empty line
          return words;
        }
        const count = this.#plainLength() ?? this.#lengthIn('too big mbulk count string');
        if (count === 'not yet') return undefined;
        if (count === undefined || count > argumentsMax) throw new ProtocolError('invalid multibulk length');
        if (count <= 0) continue; // as Redis: no command
        if (!isKnown && count > strangersMax.arguments) throw new ProtocolError('unauthenticated multibulk length');
        this.#missing = count;
        this.#bytes = 0;
        this.#arguments = [];
      }
      if (!this.#readArguments(isKnown)) return undefined;
      return this.#arguments;
    }
  }

  /** Whether all have come. */
  #readArguments(isKnown: boolean): boolean {
    while (this.#missing > 0) {
      if (this.#bulkLength === -1 && !this.#readBulkLength(isKnown)) return false;
      const end = this.#at + this.#bulkLength;
      if (this.#text.length < end + 2) return false;
      this.#arguments.push(this.#text.slice(this.#at, end));
      this.#at = end + 2; // as Redis: whatever stands in the place of the end of the line
      this.#searched = this.#at;
      this.#bulkLength = -1;
      this.#missing--;
    }
    return true;
  }

  #readBulkLength(isKnown: boolean): boolean {
    if (this.#at >= this.#text.length) return false;
    if (this.#text.charCodeAt(this.#at) !== dollar)
      throw new ProtocolError(`expected '$', got '${printable(this.#text.charAt(this.#at))}'`);
    const length = this.#plainLength() ?? this.#lengthIn('too big bulk count string');
    if (length === 'not yet') return false;
    if (length === undefined || length < 0 || length > bulkMax) throw new ProtocolError('invalid bulk length');
    if (!isKnown && length > strangersMax.bulk) throw new ProtocolError('unauthenticated bulk length');
    this.#bytes += length;
    if (this.#bytes > commandMax) throw new ProtocolError('too big multibulk request');
    this.#bulkLength = length;
    return true;
  }

  /** The number of the next line, when all of that has come and it is written as nearly all write it: up to five digits. */
  #plainLength(): number | undefined {
    const text = this.#text;
    let at = this.#at + 1;
    let value = text.charCodeAt(at++) - zero;
    if (!(value >= 1 && value <= 9)) return undefined;
    for (const end = at + 4; at < end; at++) {
      const digit = text.charCodeAt(at) - zero;
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
    }
    if (text.charCodeAt(at) !== carriageReturn || text.charCodeAt(at + 1) !== lineFeed) return undefined;
    this.#at = at + 2;
    this.#searched = this.#at;
    return value;
  }

  /** The number of the next line; undefined when it is none. */
  #lengthIn(tooLong: string): number | 'not yet' | undefined {
    const line = this.#line(tooLong);
    return line === undefined ? 'not yet' : lengthOf(line);
  }

  /** The next line without its end; undefined until it has come. */
  #line(tooLong: string): string | undefined {
    const end = this.#text.indexOf('\n', this.#searched);
    if ((end === -1 ? this.#text.length : end) - this.#at > lineMax) throw new ProtocolError(tooLong);
    if (end === -1) {
      this.#searched = this.#text.length;
      return undefined;
    }
    const line = this.#text.slice(this.#at, this.#text.charCodeAt(end - 1) === carriageReturn ? end - 1 : end);
    this.#at = end + 1;
    this.#searched = this.#at;
    return line;
  }
}

const asterisk = 42;
const dollar = 36;
const carriageReturn = 13;
const lineFeed = 10;
const zero = 48;

/** The number behind the first character, as Redis reads it; -1 for all below 0, undefined for what is none. */
function lengthOf(line: string): number | undefined {
  if (/^.-[1-9]\d{0,17}$/.test(line)) return -1;
  let value = 0;
  for (let i = 1; i < line.length; i++) {
    const digit = line.charCodeAt(i) - zero;
    if (digit < 0 || digit > 9 || (value === 0 && i > 1) || i > 10) return undefined;
    value = value * 10 + digit;
  }
  return line.length > 1 ? value : undefined;
}

function printable(character: string): string {
  return /[\x20-\x7e]/.test(character) ? character : '?';
}
