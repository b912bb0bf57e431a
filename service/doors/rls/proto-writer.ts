// Writes the fields of a protobuf message from the last one to the first, and each from its end: a message in it has its
// length in front, which is known when it has been written.

import { tagOf, wire } from './proto-reader.ts';

export class ProtoWriter {
  #bytes = Buffer.allocUnsafe(1024);
  /** What is written begins here. */
  #at = this.#bytes.length;

  /** Begins with nothing written. */
  clear(): void {
    this.#at = this.#bytes.length;
  }

  /** What has been written, valid until it is cleared. */
  get written(): Buffer {
    return this.#bytes.subarray(this.#at);
  }

  /** A whole number from 0 to 2^53; 0 is what a field says that is not there. */
  number(field: number, value: number): void {
    if (value === 0) return;
    this.#varint(value);
    this.#varint(tagOf(field, wire.varint));
  }

  /** An empty text is what a field says that is not there. */
  text(field: number, text: string): void {
    if (text === '') return;
    const length = Buffer.byteLength(text);
    this.#makeRoom(length);
    this.#at -= length;
    this.#bytes.write(text, this.#at, length);
    this.#varint(length);
    this.#varint(tagOf(field, wire.bytes));
  }

  /** A message in the message: `write` writes its fields, the last one first. */
  message(field: number, write: () => void): void {
    const behind = this.#bytes.length - this.#at;
    write();
    this.#varint(this.#bytes.length - this.#at - behind);
    this.#varint(tagOf(field, wire.bytes));
  }

  #varint(value: number): void {
    let length = 1;
    for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length++;
    this.#makeRoom(length);
    this.#at -= length;
    let rest = value;
    for (let at = this.#at; at < this.#at + length; at++) {
      const isLast = at === this.#at + length - 1;
      this.#bytes[at] = (rest % 128) + (isLast ? 0 : 128);
      rest = Math.floor(rest / 128);
    }
  }

  #makeRoom(length: number): void {
    if (length <= this.#at) return;
    const { written } = this;
    const larger = Buffer.allocUnsafe(2 * (written.length + length));
    this.#at = larger.length - written.length;
    written.copy(larger, this.#at);
    this.#bytes = larger;
  }
}
