// A claim of the bearer token of a request (RFC 6750), a JWT (RFC 7519) that a proxy has checked. It is read and not checked
// here: whoever reaches the service past that proxy can write any.
//
//   Authorization: Bearer HEADER.PAYLOAD.SIGNATURE ─▶ {"sub":"alice",…} ─▶ alice

/** Longest token that is read, in characters. */
const tokenLengthMax = 8192;

/** The claim as text, where it is a text or a whole number; undefined of any other, and of a token that cannot be read. */
export function claimIn(authorization: string | undefined, name: string): string | undefined {
  if (authorization === undefined || authorization.length > tokenLengthMax) return undefined;
  const [, payload] = /^bearer +[\w-]+\.([\w-]+)\.[\w-]*$/i.exec(authorization) ?? [];
  if (payload === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
    if (typeof claims !== 'object' || claims === null || !Object.hasOwn(claims, name)) return undefined;
    const claim = (claims as Record<string, unknown>)[name];
    return typeof claim === 'string' || Number.isSafeInteger(claim) ? String(claim) : undefined;
  } catch {
    return undefined; // no JSON
  }
}
