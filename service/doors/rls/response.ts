// A `RateLimitResponse` of Envoy's protocol, to its bytes.

import { ProtoWriter } from './proto-writer.ts';
import type { RlsUnit } from './rules.ts';

export interface RlsResponse {
  readonly overallCode: Code;
  /** One for each descriptor of the request, in their order. */
  readonly statuses: readonly DescriptorStatus[];
  /** Names and values in turn. */
  readonly headers: readonly string[];
}

export type Code = (typeof code)[keyof typeof code];

export const code = { ok: 1, overLimit: 2 } as const;

export interface DescriptorStatus {
  readonly code: Code;
  /** Undefined where nothing limits it. */
  readonly currentLimit: CurrentLimit | undefined;
  /** A whole number from 0 to 2^32 - 1. */
  readonly limitRemaining: number;
  /** Whole seconds; undefined where no bucket stands behind it. */
  readonly secondsUntilReset: number | undefined;
}

export interface CurrentLimit {
  readonly name: string | undefined;
  readonly requestsPerUnit: number;
  readonly unit: RlsUnit;
}

/** The numbers of the units, in the requests and in the answers; Envoy's own requests have no week. */
export const unitNumbers = {
  second: 1,
  minute: 2,
  hour: 3,
  day: 4,
  month: 5,
  year: 6,
  week: 7,
} as const satisfies Record<RlsUnit, number>;

/** The bytes are valid until the next call. */
export function bytesOfResponse({ overallCode, statuses, headers }: RlsResponse): Buffer {
  writer.clear();
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    writer.message(3, () => {
      writer.text(2, headers[i + 1] as string);
      writer.text(1, headers[i] as string);
    });
  }
  for (let i = statuses.length - 1; i >= 0; i--) writer.message(2, () => writeStatus(statuses[i] as DescriptorStatus));
  writer.number(1, overallCode);
  return writer.written;
}

const writer = new ProtoWriter();

function writeStatus({ code, currentLimit, limitRemaining, secondsUntilReset }: DescriptorStatus): void {
  if (secondsUntilReset !== undefined) writer.message(4, () => writer.number(1, secondsUntilReset)); // a google.protobuf.Duration
  writer.number(3, limitRemaining);
  if (currentLimit) writer.message(2, () => writeLimit(currentLimit));
  writer.number(1, code);
}

function writeLimit({ name = '', requestsPerUnit, unit }: CurrentLimit): void {
  writer.text(3, name);
  writer.number(2, unitNumbers[unit]);
  writer.number(1, requestsPerUnit);
}
