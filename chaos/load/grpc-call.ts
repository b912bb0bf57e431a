// One call of gRPC over HTTP/2: what it sends, and how it ended.

import { encodeHeaders, type Field } from './hpack.ts';

/** How a call ended: by a status of gRPC, with what came before it; or by none, and why. `isUntaken`: the server did nothing for it. */
export type CallEnd =
  | { readonly status: string; readonly text: string; readonly body: Buffer }
  | { readonly status: undefined; readonly error: string; readonly isUntaken?: true };

export type OnEnd = (end: CallEnd) => void;

export interface Call {
  readonly onEnd: OnEnd;
  /** DATA, as far as it came. */
  body: Buffer;
  /** By name. */
  readonly told: Map<string, string>;
  readonly late: NodeJS.Timeout;
}

export function beginCall(onEnd: OnEnd, late: NodeJS.Timeout): Call {
  return { onEnd, body: Buffer.alloc(0), told: new Map(), late };
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
