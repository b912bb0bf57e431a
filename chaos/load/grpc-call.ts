// One call of gRPC over HTTP/2: what it sends, and how it ended.

import { encodeHeaders, type Field } from './hpack.ts';
import { flags, frame, frameTypes, payloadBytesMax } from './http2-frames.ts';

/** How a call ended: by a status of gRPC, with what came before it; or by none, and why. `isUntaken`: the server did nothing for it; `isUnsent`: nor was it sent. */
export type CallEnd =
  | { readonly status: string; readonly text: string; readonly body: Buffer }
  | { readonly status: undefined; readonly error: string; readonly isUntaken?: true; readonly isUnsent?: true };

export type OnEnd = (end: CallEnd) => void;

export interface Call {
  readonly onEnd: OnEnd;
  /** DATA that the server had no space for yet; undefined when all was sent. */
  unsent: Buffer | undefined;
  /** So much of it may be sent; less than 0 when the server has taken back what it allowed. */
  window: number;
  /** DATA, as far as it came. */
  body: Buffer;
  /** By name. */
  readonly told: Map<string, string>;
  readonly late: NodeJS.Timeout;
}

export function beginCall(onEnd: OnEnd, late: NodeJS.Timeout, data: Buffer, window: number): Call {
  return { onEnd, unsent: data, window, body: Buffer.alloc(0), told: new Map(), late };
}

/** DATA as far as the server has space for it now; undefined when there is none to be sent. */
export function nextData(call: Call, stream: number): Buffer | undefined {
  const { unsent, window } = call;
  if (unsent === undefined || (window <= 0 && unsent.length > 0)) return undefined;
  const part = unsent.subarray(0, Math.min(window, payloadBytesMax));
  const isLast = part.length === unsent.length;
  call.unsent = isLast ? undefined : unsent.subarray(part.length);
  call.window -= part.length;
  return frame(frameTypes.data, isLast ? flags.endStream : flags.none, stream, part);
}

const wanted = new Set([':status', 'grpc-status', 'grpc-message']);

/** Headers or trailers of its answer. */
export function tell({ told }: Call, fields: readonly Field[]): void {
  for (const [name, value] of fields) if (wanted.has(name)) told.set(name, value);
}

export function endOf({ told, body }: Call): CallEnd {
  const status = told.get('grpc-status');
  if (status !== undefined) return { status, text: told.get('grpc-message') ?? '', body };
  const http = told.get(':status');
  return { status: undefined, error: `no status of gRPC${http === undefined ? '' : `, and ${http} of HTTP`}` };
}

/** All headers of a call; `path` as `/package.Service/Method`. */
export function callHeaders(url: string, path: string, headers: Readonly<Record<string, string>> = {}): Buffer {
  const { protocol, host } = new URL(url);
  const own: Field[] = [
    [':method', 'POST'],
    [':scheme', protocol.slice(0, -1)],
    [':path', path],
    [':authority', host],
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
  ];
  const others = Object.entries(headers).map(([name, value]): Field => [name.toLowerCase(), value]);
  return encodeHeaders([...own, ...others]);
}
