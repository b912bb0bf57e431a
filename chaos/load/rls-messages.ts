// The messages of Envoy's rate limit service, as far as the lab sends and reads them, in gRPC's frames.

import { fromJSON, type ServiceDefinition } from '@grpc/proto-loader';

const field = (id: number, type: string, rule?: 'repeated') => ({ id, type, ...(rule ? { rule } : {}) });

const service = fromJSON(
  {
    nested: {
      RateLimitService: {
        methods: { ShouldRateLimit: { requestType: 'Request', responseType: 'Response', comment: '' } },
      },
      Request: { fields: { domain: field(1, 'string'), descriptors: field(2, 'Descriptor', 'repeated') } },
      Descriptor: { fields: { entries: field(1, 'Entry', 'repeated') } },
      Entry: { fields: { key: field(1, 'string'), value: field(2, 'string') } },
      Response: {
        fields: {
          overallCode: field(1, 'Code'),
          statuses: field(2, 'Status', 'repeated'),
          responseHeadersToAdd: field(3, 'Header', 'repeated'),
        },
      },
      Status: { fields: { code: field(1, 'Code'), limitRemaining: field(3, 'uint32') } },
      Header: { fields: { key: field(1, 'string'), value: field(2, 'string') } },
      Code: { values: { UNKNOWN: 0, OK: 1, OVER_LIMIT: 2 } },
    },
  },
  { enums: String, defaults: true },
).RateLimitService as ServiceDefinition;

const { requestSerialize, responseDeserialize } = service.ShouldRateLimit as {
  requestSerialize(message: object): Buffer;
  responseDeserialize(bytes: Buffer): RlsAnswer;
};

export interface RlsAnswer {
  readonly overallCode: 'UNKNOWN' | 'OK' | 'OVER_LIMIT';
  readonly statuses: readonly { readonly code: string; readonly limitRemaining: number }[];
  /** For the answer of the proxy's client. */
  readonly responseHeadersToAdd: readonly { readonly key: string; readonly value: string }[];
}

const frameHeaderBytes = 5;

/** `json`: the message. */
export function callOf(json: string): Buffer {
  return framed(requestSerialize(JSON.parse(json)));
}

export function framed(message: Buffer): Buffer {
  const header = Buffer.alloc(frameHeaderBytes);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}

/** @throws {Error} if that is not one message. */
export function answerOf(body: Buffer): RlsAnswer {
  if (body.length < frameHeaderBytes || body.readUInt32BE(1) !== body.length - frameHeaderBytes)
    throw new Error(`an answer of ${body.length} bytes, which is no message`);
  return responseDeserialize(body.subarray(frameHeaderBytes));
}
