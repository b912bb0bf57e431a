// A client of Envoy's rate limit service.

import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { loadProtocol, rlsServiceName } from '../../service/doors/rls/protocol.ts';

export interface Descriptor {
  readonly entries: readonly { readonly key: string; readonly value?: string }[];
  readonly limit?: { readonly requests_per_unit: number; readonly unit: string | number };
  readonly hits_addend?: { readonly value: number };
  readonly is_negative_hits?: boolean;
}

export interface Answer {
  readonly overall_code: string;
  readonly statuses: readonly {
    readonly code: string;
    readonly current_limit: { readonly requests_per_unit: number; readonly unit: string; readonly name: string } | null;
    readonly limit_remaining: number;
    readonly duration_until_reset: { readonly seconds: number } | null;
  }[];
  readonly response_headers_to_add: readonly { readonly key: string; readonly value: string }[];
}

export interface AskOptions {
  readonly hitsAddend?: number;
  readonly token?: string;
  /** Time for the answer, in milliseconds. */
  readonly withinMs?: number;
}

const method = (loadProtocol()[rlsServiceName] as unknown as Record<string, never>).ShouldRateLimit as unknown as {
  readonly path: string;
  requestSerialize(message: object): Buffer;
  responseDeserialize(bytes: Buffer): Answer;
};

export class RlsClient implements Disposable {
  readonly client: Client;

  constructor(port: number) {
    this.client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  }

  /** Rejects with a `ServiceError`. */
  ask(domain: string, descriptors: readonly Descriptor[], options: AskOptions = {}): Promise<Answer> {
    const { hitsAddend = 0 } = options;
    return this.send(method.requestSerialize({ domain, descriptors, hits_addend: hitsAddend }), options);
  }

  /** Whatever bytes they are. */
  send(message: Buffer, { token, withinMs = 5000 }: AskOptions = {}): Promise<Answer> {
    const metadata = new Metadata();
    if (token !== undefined) metadata.set('authorization', token);
    return new Promise((resolve, reject) => {
      this.client.makeUnaryRequest(
        method.path,
        (bytes: Buffer) => bytes,
        (bytes) => method.responseDeserialize(bytes),
        message,
        metadata,
        { deadline: Date.now() + withinMs },
        (error, answer) => (error ? reject(error) : resolve(answer as Answer)),
      );
    });
  }

  [Symbol.dispose](): void {
    this.client.close();
  }
}

/** Of one entry each: `key=value` or `key`. */
export function descriptorsOf(...texts: readonly string[]): Descriptor[] {
  return texts.map((text) => ({
    entries: text.split(' ').map((entry) => {
      const [key = '', value = ''] = entry.split('=');
      return { key, value };
    }),
  }));
}

/** What an answer says in short: the overall code, and `code remaining/limit per unit` of each. */
export function gistOf({ overall_code, statuses }: Answer): string[] {
  return [
    overall_code,
    ...statuses.map(({ code, current_limit: limit, limit_remaining }) =>
      limit ? `${code} ${limit_remaining}/${limit.requests_per_unit} ${limit.unit}` : `${code} ${limit_remaining}`,
    ),
  ];
}

/** `CODE: details` of the error that the call ends with. */
export async function errorOf(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => undefined,
    (error: ServiceError) => error,
  );
  return error ? `${status[error.code]}: ${error.details}` : 'no error';
}
