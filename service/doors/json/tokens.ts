// Bearer tokens (RFC 6750). A comparison takes as long whatever is wrong with the token.

import { hash, timingSafeEqual } from 'node:crypto';
import { Refusal } from './refusal.ts';
import type { Access } from './route.ts';

export interface Tokens {
  /** For routes of access `api`; without it anybody may use them. */
  readonly api?: string | undefined;
  /** For routes of access `admin`, and of `api` too; without it there are no routes of access `admin`. */
  readonly admin?: string | undefined;
}

/** Throws a `Refusal` unless the `Authorization` header has a token for the route. */
export type Guard = (access: Access, authorization: string | undefined) => void;

export function createGuard({ api, admin }: Tokens): Guard {
  const digestOf = (token: string | undefined) => (token === undefined ? [] : [sha256(token)]);
  const digests = {
    api: api === undefined ? undefined : [...digestOf(api), ...digestOf(admin)],
    admin: digestOf(admin),
  };
  return (access, authorization) => {
    const allowed = access === 'public' ? undefined : digests[access];
    if (!allowed) return;
    const [, token] = /^Bearer +(\S+) *$/i.exec(authorization ?? '') ?? [];
    if (token === undefined) throw unauthorized('The header Authorization: Bearer is missing.', 'Bearer');
    const given = sha256(token);
    if (!allowed.some((digest) => timingSafeEqual(digest, given)))
      throw unauthorized('The bearer token is not valid for this route.', 'Bearer error="invalid_token"');
  };
}

/** All of one length, as a comparison in constant time needs them. */
function sha256(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}

function unauthorized(detail: string, challenge: string): Refusal {
  return new Refusal(401, 'Unauthorized', detail, { headers: { 'WWW-Authenticate': challenge } });
}
