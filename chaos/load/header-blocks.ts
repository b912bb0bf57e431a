// The headers of a connection's answers, as frames of HTTP/2 bring them: a block is whole when a frame says so.
//
//   HEADERS, CONTINUATION … that ends the headers ──▶ the fields of one block

import { type Field, HeaderDecoder } from './hpack.ts';
import { contentOf, type Frame, flags, frameTypes } from './http2-frames.ts';

const partsMax = 64;

export interface HeaderBlock {
  /** The HEADERS that it began with. */
  readonly begin: Frame;
  readonly fields: readonly Field[];
}

export class HeaderBlocks {
  readonly #decoder = new HeaderDecoder();
  /** Of HEADERS that are not whole yet. */
  #block: { readonly begin: Frame; readonly parts: Buffer[] } | undefined;

  /** HEADERS or CONTINUATION; undefined as long as its block is not whole. @throws {Error} if it is none, or has no end. */
  take(it: Frame): HeaderBlock | undefined {
    if (it.type === frameTypes.headers) this.#block = { begin: it, parts: [contentOf(it)] };
    else if (this.#block && this.#block.parts.push(it.payload) > partsMax) throw new Error('headers without an end');
    if (!this.#block || !(it.flags & flags.endHeaders)) return undefined;
    const { begin, parts } = this.#block;
    this.#block = undefined;
    return { begin, fields: this.#decoder.read(parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)) };
  }
}
