// Bearer tokens (RFC 6750).

import { TokenSet } from '../token-set.ts';
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
  const tokens = {
    api: api === undefined ? undefined : new TokenSet([api, admin]),
    admin: new TokenSet([admin]),
  };
  return (access, authorization) => {
    const allowed = access === 'public' ? undefined : tokens[access];
    if (!allowed) return;
    const [, token] = /^Bearer +(\S+) *$/i.exec(authorization ?? '') ?? [];
    if (token === undefined) throw unauthorized('The header Authorization: Bearer is missing.', 'Bearer');
    if (!allowed.has(token))
      throw unauthorized('The bearer token is not valid for this route.', 'Bearer error="invalid_token"');
  };
}

function unauthorized(detail: string, challenge: string): Refusal {
  return new Refusal(401, 'Unauthorized', detail, { headers: { 'WWW-Authenticate': challenge } });
}
