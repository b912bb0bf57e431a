// Whose buckets a policy's request takes from: one value, or several joined. A value is escaped, so that no two lists of
// values meet in one name, and stands behind what it is, so that a header which says `127.0.0.1` is no client's address.
//
//   [header:x-api-key, address] ─▶ header:x-api-key=a%7Cb|address=192.0.2.1

import { claimIn } from './bearer-claim.ts';
import { keyLengthMax, keyTextOf } from './client-key.ts';
import { decodedOrNone, type PathParameters } from './path-pattern.ts';
import { headerOf, type Mistake, type RequestFacts } from './request-facts.ts';
import { textOfBytes } from './utf8-bytes.ts';

export type KeyPart =
  | { readonly kind: 'address' }
  | { readonly kind: 'header' | 'cookie' | 'path' | 'jwt'; readonly name: string };

/** Instead of parts: whoever asks by the policy's name gives the key. */
export const givenKey = 'given';

export const keyPartAllowed = 'address, header:NAME, cookie:NAME, path:NAME, jwt:CLAIM';

/** Undefined for what is not allowed. */
export function keyPartOf(text: string): KeyPart | undefined {
  if (text === 'address') return { kind: 'address' };
  const [, kind, name = ''] = /^(header|cookie|path):([!#$%&'*+.^_`|~\w-]+)$/.exec(text) ?? [];
  const [, claim] = /^jwt:([\w.:/-]+)$/.exec(text) ?? []; // many are URLs
  if (claim !== undefined) return { kind: 'jwt', name: claim };
  if (kind === 'header') return { kind, name: name.toLowerCase() };
  return kind === 'cookie' || kind === 'path' ? { kind, name } : undefined;
}

/** The key of a request; a mistake when it lacks one of the parts. */
export function keyOfParts(
  parts: readonly KeyPart[],
  request: RequestFacts,
  parameters: PathParameters,
): string | Mistake {
  const texts: string[] = [];
  for (const part of parts) {
    const header = headerBehind(part);
    if (header !== undefined && request.hasSeveral?.(header)) return keyThereTwice(header);
    const label = labelOf(part);
    const value = textOf(part, request, parameters);
    if (value === undefined || value === '') {
      return { title: 'Key missing', detail: `The request has no ${label}, which its limit is counted by.` };
    }
    if (value.length > keyLengthMax) return keyTooLong(label, value.length);
    texts.push(`${label}=${escaped(value)}`);
  }
  return texts.join('|');
}

export function keyTooLong(label: string, length: number): Mistake {
  return {
    title: 'Key too long',
    detail: `The key in ${label} has ${length} characters; at most ${keyLengthMax} are allowed.`,
  };
}

/** The header that the part is read from, where it is one that a request has once. */
function headerBehind(part: KeyPart): string | undefined {
  if (part.kind === 'jwt') return 'authorization';
  return part.kind === 'header' ? part.name : undefined;
}

/** What is behind may take either: who adds any value beside the one that counts there would have a bucket for each. */
function keyThereTwice(header: string): Mistake {
  return {
    title: 'Key there twice',
    detail: `The request has several headers ${header}, of which its limit is counted by one.`,
  };
}

function labelOf(part: KeyPart): string {
  return part.kind === 'address' ? part.kind : `${part.kind}:${part.name}`;
}

function textOf(part: KeyPart, request: RequestFacts, parameters: PathParameters): string | undefined {
  switch (part.kind) {
    case 'address':
      return request.addressOf();
    case 'header': {
      const value = headerOf(request, part.name);
      return value === undefined ? undefined : keyTextOf(part.name, value);
    }
    case 'cookie':
      return cookieOf(request.headers.cookie, part.name);
    case 'path':
      return Object.hasOwn(parameters, part.name) ? parameters[part.name] : undefined;
    case 'jwt':
      return claimIn(request.headers.authorization, part.name);
    default:
      return part satisfies never;
  }
}

/**
 * The value of the first cookie of that name (RFC 6265 §5.4), without quotes and percent-encoding, as frameworks read it:
 * another spelling is no other bucket.
 */
function cookieOf(header: string | undefined, name: string): string | undefined {
  for (const pair of header?.split(';') ?? []) {
    const at = pair.indexOf('=');
    if (at !== -1 && pair.slice(0, at).trim() === name) return cookieValueOf(textOfBytes(pair.slice(at + 1)).trim());
  }
  return undefined;
}

function cookieValueOf(text: string): string {
  const value = /^"(.*)"$/s.exec(text)?.[1] ?? text;
  return decodedOrNone(value) ?? value;
}

function escaped(value: string): string {
  return value.replace(/[%|]/g, (character) => (character === '%' ? '%25' : '%7C'));
}
