// Frames of HTTP/2 (RFC 9113, section 4): what each side of a connection sends.
//
//   length 24 │ type 8 │ flags 8 │ stream 32 │ payload

export const frameTypes = {
  ...{ data: 0, headers: 1, rstStream: 3, settings: 4, ping: 6, goaway: 7, windowUpdate: 8, continuation: 9 },
} as const;
export const flags = { none: 0, ack: 1, endStream: 1, endHeaders: 4, padded: 8, priority: 32 } as const;
export const settings = { tableBytes: 1, push: 2, streamsMax: 3, windowBytes: 4 } as const;
export const errorCodes = { refusedStream: 7, cancel: 8 } as const;

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
/** What either side may send at first, of a stream and of all together. */
export const windowBytesUsual = 65_535;

const headBytes = 9;
/** Nobody may send more, as nobody here says that one may. */
export const payloadBytesMax = 16_384;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  /** 0: of the connection. */
  readonly stream: number;
  readonly payload: Buffer;
}

export function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(headBytes + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  payload.copy(bytes, headBytes);
  return bytes;
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/**
 * What a client sends first. The server may send so many bytes of answers, be it of one, before it hears that they were read,
 * and push nothing.
 */
export function greeting(windowBytes: number): Buffer {
  const its = [setting(settings.push, 0), setting(settings.windowBytes, windowBytes)];
  return Buffer.concat([
    preface,
    frame(frameTypes.settings, flags.none, 0, Buffer.concat(its)),
    frame(frameTypes.windowUpdate, flags.none, 0, uint32(windowBytes - windowBytesUsual)),
  ]);
}

export function setting(id: number, value: number): Buffer {
  return Buffer.concat([Buffer.of(0, id), uint32(value)]);
}

/** By their number, in their order. */
export function settingsIn({ payload }: Frame): [id: number, value: number][] {
  return Array.from({ length: Math.floor(payload.length / 6) }, (_, i) => [
    payload.readUInt16BE(i * 6),
    payload.readUInt32BE(i * 6 + 2),
  ]);
}

export class FrameReader {
  #unread: Buffer = Buffer.alloc(0);

  /** The frames that are whole now. @throws {Error} if one is larger than any may be. */
  *read(chunk: Buffer): Generator<Frame> {
    const bytes = this.#unread.length > 0 ? Buffer.concat([this.#unread, chunk]) : chunk;
    let at = 0;
    while (bytes.length - at >= headBytes) {
      const length = bytes.readUIntBE(at, 3);
      if (length > payloadBytesMax) throw new Error(`a frame of ${length} bytes`);
      const end = at + headBytes + length;
      if (end > bytes.length) break;
      yield {
        type: bytes[at + 3] as number,
        flags: bytes[at + 4] as number,
        stream: bytes.readUInt32BE(at + 5) & 0x7fff_ffff,
        payload: bytes.subarray(at + headBytes, end),
      };
      at = end;
    }
    this.#unread = bytes.subarray(at);
  }
}

/** The payload without what fills it up, and without what some headers begin with. @throws {Error} if that is more than all. */
export function contentOf({ flags: its, payload, type }: Frame): Buffer {
  let [from, to] = [0, payload.length];
  if (its & flags.padded) {
    to -= payload[0] ?? 0;
    from = 1;
  }
  if (type === frameTypes.headers && its & flags.priority) from += 5;
  if (from > to) throw new Error('a frame that is all padding, and more');
  return payload.subarray(from, to);
}
