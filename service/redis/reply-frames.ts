// Where each reply of a Redis ends, found in the bytes as they come, before ioredis parses them: so that no reply grows
// beyond a bound, and what is no RESP2 at all is seen as such. Nothing is decoded, and nothing but an unfinished line
// is kept.
//
//   *2\r\n :1\r\n $3\r\n abc\r\n        one reply of three values: an array, and the two that it owes
//
// https://redis.io/docs/latest/develop/reference/protocol-spec/

import { StoreError } from '../core/store.ts';

/** Of one reply, headers included. The slots of a cluster of a thousand nodes are some 100 KB. */
export const replyBytesMax = 1024 * 1024;
/** Of a status, an error, a number or a length. */
const lineBytesMax = 16 * 1024;
/** Arrays within arrays; the slots of a cluster are four deep. */
const depthMax = 16;
/** The shortest value there is, as in `+\r\n`. */
const valueBytesMin = 3;

const carriageReturn = 13;
const lineFeed = 10;
const colon = 58;

/** What a reply is, by its first byte; `text` is the line of a status or an error. */
export interface Reply {
  readonly kind: 'status' | 'error' | 'number' | 'string' | 'array' | 'null';
  readonly text: string;
  /** Elements of an array. */
  readonly length: number;
  /** Whether a null stands in it. */
  readonly hasNull: boolean;
}

const kinds: Readonly<Record<string, Reply['kind']>> = {
  '+': 'status',
  '-': 'error',
  ':': 'number',
  $: 'string',
  '*': 'array',
};

export class ReplyFrames {
  readonly #onReply: (reply: Reply) => void;
  /** The line that the last chunk began. */
  #begun: Buffer | undefined;
  /** Bytes left of a string; its line break comes after. */
  #stringBytes = 0;
  #inString = false;
  /** Values that each open array is still owed, the innermost last. */
  readonly #owed: number[] = [];
  #owedInAll = 0;
  /** Of the present reply, so far. */
  #bytes = 0;
  #reply: Reply | undefined;

  /** `onReply` is told of each reply at its last byte; what it throws, `read` throws. */
  constructor(onReply: (reply: Reply) => void) {
    this.#onReply = onReply;
  }

  /** Throws a `StoreError` when these bytes, after all before, are no replies or too long a one. No more can be read then. */
  read(bytes: Buffer): void {
    const chunk = this.#begun ? Buffer.concat([this.#begun, bytes]) : bytes;
    this.#begun = undefined;
    for (let at = 0; at < chunk.length; )
      at = this.#stringBytes > 0 ? this.#skip(chunk, at) : this.#readLine(chunk, at);
  }

  #skip(chunk: Buffer, at: number): number {
    const skipped = Math.min(this.#stringBytes, chunk.length - at);
    this.#stringBytes -= skipped;
    return at + skipped;
  }

  /** Returns where the next line or string begins. */
  #readLine(chunk: Buffer, at: number): number {
    const end = chunk.indexOf(carriageReturn, at);
    if ((end === -1 ? chunk.length : end) - at > lineBytesMax)
      throw misfit(`a line of more than ${lineBytesMax} bytes`);
    if (end === -1 || end + 1 === chunk.length) {
      if (!this.#inString) kindAt(chunk, at); // not to be waited for
      this.#begun = chunk.subarray(at);
      return chunk.length;
    }
    if (chunk[end + 1] !== lineFeed) throw misfit('a line that does not end as lines do');
    this.#bytes += end + 2 - at;
    if (this.#inString) {
      if (end !== at) throw misfit('a string longer than it says');
      this.#inString = false;
      this.#endValue();
    } else if (this.#owed.length > 0 && chunk[at] === colon) {
      this.#endValue(); // a number of an array, as by far the most are
    } else {
      this.#readValue(kindAt(chunk, at), chunk, at + 1, end);
    }
    this.#checkSize();
    return end + 2;
  }

  #readValue(kind: Reply['kind'], chunk: Buffer, from: number, end: number): void {
    const nested = this.#owed.length > 0;
    const text = kind === 'string' || kind === 'array' || !nested ? chunk.toString('latin1', from, end) : '';
    const isNull = text === '-1' && (kind === 'string' || kind === 'array');
    const length = isNull ? 0 : lengthOf(kind, text);
    if (!nested) this.#reply = { kind: isNull ? 'null' : kind, text, length, hasNull: isNull };
    else if (isNull && this.#reply) this.#reply = { ...this.#reply, hasNull: true };
    if (kind === 'string' && !isNull) {
      this.#inString = true;
      this.#stringBytes = length;
      this.#bytes += length;
    } else if (kind === 'array' && length > 0) {
      if (this.#owed.length === depthMax) throw misfit(`arrays more than ${depthMax} deep`);
      this.#owed.push(length);
      this.#owedInAll += length;
    } else this.#endValue();
  }

  /** What is announced counts as if it were there: nobody waits for it, or makes room. */
  #checkSize(): void {
    if (this.#bytes + this.#owedInAll * valueBytesMin > replyBytesMax) {
      throw misfit(`a reply of more than ${replyBytesMax} bytes`);
    }
  }

  #endValue(): void {
    const owed = this.#owed;
    while (owed.length > 0) {
      this.#owedInAll--;
      const left = (owed.at(-1) as number) - 1;
      owed[owed.length - 1] = left;
      if (left > 0) return;
      owed.pop();
    }
    this.#bytes = 0;
    this.#onReply(this.#reply as Reply);
  }
}

function kindAt(chunk: Buffer, at: number): Reply['kind'] {
  const byte = chunk[at] as number;
  const kind = kinds[String.fromCharCode(byte)];
  if (kind) return kind;
  const tls = byte === 0x15 ? ', as where TLS is spoken' : '';
  throw misfit(`no reply of Redis: it begins with the byte 0x${byte.toString(16).padStart(2, '0')}${tls}`);
}

function lengthOf(kind: Reply['kind'], text: string): number {
  if (kind !== 'string' && kind !== 'array') return 0;
  if (!/^\d{1,10}$/.test(text)) throw misfit('a length that is no number');
  return Number(text);
}

function misfit(what: string): StoreError {
  return new StoreError('protocol', `what answers sent ${what}`);
}
