// A `RateLimitRequest` of Envoy's protocol, from its bytes. The reader is written by hand: it stops at the first descriptor
// or entry too many, where a general one would have built the whole message first.

import type { RlsEntry } from './matching.ts';
import { MalformedMessage, ProtoReader, tagOf, wire } from './proto-reader.ts';

export interface RlsRequest {
  readonly domain: string;
  readonly descriptors: readonly RequestDescriptor[];
  /** Of each descriptor that says no number itself; 0 counts as 1. */
  readonly hitsAddend: number;
}

export interface RequestDescriptor {
  readonly entries: readonly RlsEntry[];
  /** In place of the rule's own. `unit`: the number of a unit in the protocol, or any other. */
  readonly override: { readonly requestsPerUnit: number; readonly unit: number } | undefined;
  /** From 0; undefined: those of the request. */
  readonly hitsAddend: number | undefined;
  /** The hits are given back. */
  readonly isNegative: boolean;
}

/** Why a request cannot be answered: one sentence that names the field. */
export interface RequestMistake {
  readonly mistake: string;
}

export const descriptorsMax = 100;
export const entriesMax = 32;

/** Fields that are not known are passed over. */
export function requestIn(bytes: Buffer): RlsRequest | RequestMistake {
  try {
    return readRequest(new ProtoReader(bytes));
  } catch (error) {
    if (error instanceof TooMany) return { mistake: error.message };
    if (error instanceof MalformedMessage) return { mistake: `The message is no RateLimitRequest: ${error.message}.` };
    throw error;
  }
}

class TooMany extends Error {}

const tags = {
  request: { domain: tagOf(1, wire.bytes), descriptor: tagOf(2, wire.bytes), hitsAddend: tagOf(3, wire.varint) },
  descriptor: {
    entry: tagOf(1, wire.bytes),
    override: tagOf(2, wire.bytes),
    hitsAddend: tagOf(3, wire.bytes),
    isNegative: tagOf(4, wire.varint),
  },
  entry: { key: tagOf(1, wire.bytes), value: tagOf(2, wire.bytes) },
  override: { requestsPerUnit: tagOf(1, wire.varint), unit: tagOf(2, wire.varint) },
  wrapped: { value: tagOf(1, wire.varint) },
} as const;

function readRequest(reader: ProtoReader): RlsRequest {
  let domain = '';
  let hitsAddend = 0;
  const descriptors: RequestDescriptor[] = [];
  for (let tag = reader.next(); tag !== undefined; tag = reader.next()) {
    if (tag === tags.request.domain) domain = reader.text();
    else if (tag === tags.request.hitsAddend) hitsAddend = reader.uint32();
    else if (tag !== tags.request.descriptor) reader.skip(tag);
    else if (descriptors.length === descriptorsMax) {
      throw new TooMany(`descriptors has more than ${descriptorsMax}; allowed: 1 to ${descriptorsMax}.`);
    } else descriptors.push(readDescriptor(reader, descriptors.length));
  }
  return { domain, descriptors, hitsAddend };
}

/** Of several of what may be there once, the last one counts; messages are merged. */
function readDescriptor(reader: ProtoReader, at: number): RequestDescriptor {
  const entries: RlsEntry[] = [];
  let override: { requestsPerUnit: number; unit: number } | undefined;
  let hitsAddend: number | undefined;
  let isNegative = false;
  reader.message((tag) => {
    switch (tag) {
      case tags.descriptor.entry:
        if (entries.length === entriesMax) {
          throw new TooMany(`descriptors[${at}].entries has more than ${entriesMax}; allowed: up to ${entriesMax}.`);
        }
        entries.push(readEntry(reader));
        break;
      case tags.descriptor.override:
        override ??= { requestsPerUnit: 0, unit: 0 };
        readOverride(reader, override);
        break;
      case tags.descriptor.hitsAddend:
        hitsAddend = readWrapped(reader, hitsAddend ?? 0);
        break;
      case tags.descriptor.isNegative:
        isNegative = reader.varint() !== 0;
        break;
      default:
        reader.skip(tag);
    }
  });
  return { entries, override, hitsAddend, isNegative };
}

function readEntry(reader: ProtoReader): RlsEntry {
  let key = '';
  let value = '';
  reader.message((tag) => {
    if (tag === tags.entry.key) key = reader.text();
    else if (tag === tags.entry.value) value = reader.text();
    else reader.skip(tag);
  });
  return { key, value };
}

function readOverride(reader: ProtoReader, override: { requestsPerUnit: number; unit: number }): void {
  reader.message((tag) => {
    if (tag === tags.override.requestsPerUnit) override.requestsPerUnit = reader.uint32();
    else if (tag === tags.override.unit) override.unit = reader.varint();
    else reader.skip(tag);
  });
}

/** The number in a `google.protobuf.UInt64Value`. */
function readWrapped(reader: ProtoReader, before: number): number {
  let value = before;
  reader.message((tag) => {
    if (tag === tags.wrapped.value) value = reader.varint();
    else reader.skip(tag);
  });
  return value;
}
