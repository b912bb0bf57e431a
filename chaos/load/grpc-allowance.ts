// What a gRPC server says that it takes: so many calls at a time, so many bytes of them, and so much to remember of headers.

import { rememberNothing, tableBytesUsual } from './hpack.ts';
import { type Frame, settings, settingsIn, windowBytesUsual } from './http2-frames.ts';

/** Of a server that does not say how many calls it takes at a time; RFC 9113 advises no less. */
const callsMaxUsual = 100;

export class Allowance {
  callsMax = callsMaxUsual;
  /** Bytes that may still be sent, of all calls. */
  window = windowBytesUsual;
  /** And of a new call. */
  callWindow = windowBytesUsual;
  #prefix: Buffer | undefined;

  /** SETTINGS. @returns by how much each call's window is wider. */
  learn(it: Frame): number {
    const before = this.callWindow;
    for (const [id, value] of settingsIn(it)) {
      if (id === settings.streamsMax) this.callsMax = value;
      if (id === settings.tableBytes && value < tableBytesUsual) this.#prefix = rememberNothing;
      if (id === settings.windowBytes) this.callWindow = value;
    }
    return this.callWindow - before;
  }

  /** The block to send for these headers. */
  blockOf(headers: Buffer): Buffer {
    const prefix = this.#prefix;
    this.#prefix = undefined;
    return prefix ? Buffer.concat([prefix, headers]) : headers;
  }
}
