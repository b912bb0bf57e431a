// A claim of the bearer token of a request (RFC 6750), a JWT (RFC 7519) that a proxy has checked. It is read and not checked
// here: whoever reaches the service past that proxy can write any.
//
//   Authorization: Bearer HEADER.PAYLOAD.SIGNATURE ─▶ {"sub":"alice",…} ─▶ alice

import { isUtf8 } from 'node:buffer';

/** Longest token that is read, in characters. */
const tokenLengthMax = 8192;

/**
 * The claim as text, where it is a text or a whole number; undefined of any other, and of a token that cannot be read. A text
 * that has no UTF-8 is none: in Redis, all such would be one.
 */
export function claimIn(authorization: string | undefined, name: string): string | undefined {
  if (authorization === undefined || authorization.length > tokenLengthMax) return undefined;
  const [, payload] = /^bearer +[\w-]+\.([\w-]+)\.[\w-]*$/i.exec(authorization) ?? [];
  if (payload === undefined) return undefined;
  const bytes = Buffer.from(payload, 'base64url');
  if (!isUtf8(bytes)) return undefined;
  try {
    const claims: unknown = JSON.parse(bytes.toString());
    if (typeof claims !== 'object' || claims === null || !Object.hasOwn(claims, name)) return undefined;
    const claim = (claims as Record<string, unknown>)[name];
    if (typeof claim === 'string') return claim.isWellFormed() ? claim : undefined;
    return Number.isSafeInteger(claim) ? String(claim) : undefined;
  } catch {
    return undefined; // no JSON
  }
}
