// Reads the fields of a protobuf message one after another, as they stand in its bytes, and makes nothing of them that
// nobody asked for. So who reads decides how much of a message it takes, and a hostile one costs no more than its length.
//
//   tag, value, tag, value …        a tag is the field's number and how its value is written; a message is such a value

import { isUtf8 } from 'node:buffer';

/** How a value is written. */
export const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** The tag of a field. */
export function tagOf(field: number, type: number): number {
  return field * 8 + type;
}

/** The bytes are no message of protobuf. */
export class MalformedMessage extends Error {
  override readonly name = 'MalformedMessage';
}

export class ProtoReader {
  readonly #bytes: Buffer;
  #at = 0;
  /** Of the message that is being read. */
  #end: number;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#end = bytes.length;
  }

  /** The tag of the next field; undefined at the message's end. Throws a `MalformedMessage`, as the others do. */
  next(): number | undefined {
    if (this.#at === this.#end) return undefined;
    const tag = this.varint();
    if (tag < 8 || tag > 0xffffffff) throw new MalformedMessage(`byte ${this.#at} follows a tag that is none`);
    return tag;
  }

  /** A whole number from 0 to 2^64 - 1; one beyond 2^53 is not exact. */
  varint(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 70; scale *= 128) {
      if (this.#at === this.#end) throw this.#cutOff();
      const byte = this.#bytes[this.#at++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new MalformedMessage(`byte ${this.#at} follows a number of more than 10 bytes`);
  }

  /** The same, cut to its lower 32 bits, as every reader of protobuf does. */
  uint32(): number {
    const start = this.#at;
    this.varint();
    let value = 0;
    for (let at = start, shift = 0; at < this.#at && shift < 32; at++, shift += 7)
      value |= ((this.#bytes[at] as number) & 0x7f) << shift;
    return value >>> 0;
  }

  /** Bytes that are no UTF-8 are read as latin1: replaced, texts that differ would be one. */
  text(): string {
    const end = this.#endOfBytes();
    const text = this.#bytes.toString('utf8', this.#at, end);
    const isText = !text.includes('\ufffd') || isUtf8(this.#bytes.subarray(this.#at, end));
    const read = isText ? text : this.#bytes.toString('latin1', this.#at, end);
    this.#at = end;
    return read;
  }

  /** A message in the message: `read` is called for each of its fields, and takes the value. */
  message(read: (tag: number) => void): void {
    const outerEnd = this.#end;
    this.#end = this.#endOfBytes();
    for (let tag = this.next(); tag !== undefined; tag = this.next()) read(tag);
    this.#end = outerEnd;
  }

  /** Passes over the value of a field that is not known. */
  skip(tag: number): void {
    switch (tag % 8) {
      case wire.varint:
        this.varint();
        return;
      case wire.bytes:
        this.#at = this.#endOfBytes();
        return;
      case wire.fixed64:
        this.#pass(8);
        return;
      case wire.fixed32:
        this.#pass(4);
        return;
      default:
        throw new MalformedMessage(`byte ${this.#at} begins a value of wire type ${tag % 8}`);
    }
  }

  #pass(length: number): void {
    if (length > this.#end - this.#at) throw this.#cutOff();
    this.#at += length;
  }

  #endOfBytes(): number {
    const length = this.varint();
    if (length > this.#end - this.#at) throw this.#cutOff();
    return this.#at + length;
  }

  #cutOff(): MalformedMessage {
    return new MalformedMessage(`it ends at byte ${this.#end}, in the middle of a field`);
  }
}
