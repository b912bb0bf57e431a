// What a decision looks like in HTTP. Pure functions; the only place where milliseconds are rounded up to seconds.
//
// `RateLimit-Policy` and `RateLimit` follow draft-ietf-httpapi-ratelimit-headers-11 (structured fields, RFC 9651); the
// X- headers are the older convention; `Retry-After` is RFC 9110 §10.2.3; the body is RFC 9457 with the draft's problem
// type.

import type { Quota } from '../core/limit.ts';
import type { Decision } from '../core/store.ts';

/** It tells who decided, and so stands in every answer that has limits to tell. */
export const mechanismHeader = 'X-RateLimit-Mechanism';

/** Those of a decision behind which a bucket stands. */
export const bucketHeaders = ['X-RateLimit-Remaining', 'X-RateLimit-Reset', 'RateLimit'] as const;

/** Names and values in turn, as `writeHead` takes them. */
export type Headers = string[];

/**
 * The headers of every answer, `nowMs` being Unix time. Where there are several limits, the X- headers tell the one that
 * binds. Where no bucket stands behind the decision, none tells what is left.
 */
export function decisionHeaders(decision: Decision, nowMs: number): Headers {
  const { each, remaining } = decision;
  const policies = each ? each.map(policyOf).join(', ') : policyOf(decision);
  const limit = String(decision.limit);
  const headers =
    remaining === undefined
      ? ['RateLimit-Policy', policies, 'X-RateLimit-Limit', limit, mechanismHeader, decision.mechanism]
      : [
          'RateLimit-Policy',
          policies,
          'X-RateLimit-Limit',
          limit,
          'X-RateLimit-Remaining',
          String(remaining),
          'X-RateLimit-Reset',
          String(Math.ceil((nowMs + decision.resetMs) / 1000)),
          'RateLimit',
          each ? each.filter(isCounted).map(serviceLimitOf).join(', ') : serviceLimitOf(decision),
          mechanismHeader,
          decision.mechanism,
        ];
  if (!decision.allowed && Number.isFinite(decision.retryAfterMs))
    headers.push('Retry-After', String(retryAfterSeconds(decision)));
  return headers;
}

/** `"default";q=5;w=10`, quota in tokens and window in seconds. Made once for each quota. */
function policyOf({ quota }: Decision): string {
  let text = policyTexts.get(quota);
  if (text === undefined) {
    text = `"${quota.name}";q=${quota.capacity};w=${windowSeconds(quota)}`;
    policyTexts.set(quota, text);
  }
  return text;
}

const policyTexts = new WeakMap<Quota, string>();

/** Whether a bucket stands behind it. */
function isCounted({ remaining }: Decision): boolean {
  return remaining !== undefined;
}

/** `"default";r=4;t=2`, tokens left and seconds until all are there again. */
function serviceLimitOf({ quota, remaining, resetMs }: Decision): string {
  return `"${quota.name}";r=${remaining};t=${Math.ceil(resetMs / 1000)}`;
}

/** The body of a 429, as `application/problem+json`, in ASCII. */
export function quotaExceeded(decision: Decision): string {
  const { quota, each } = decision;
  const violated = each
    ? each
        .filter(({ allowed }) => !allowed)
        .map((it) => it.quota.name)
        .join('","')
    : quota.name; // mostly one
  const size = `Quota of ${quota.capacity} requests in ${windowSeconds(quota)} s`;
  const detail = Number.isFinite(decision.retryAfterMs)
    ? `${size} is used up. Try again in ${retryAfterSeconds(decision)} s.`
    : `${size} holds fewer than the request costs.`;
  return `${quotaExceededStart}${detail}","violated-policies":["${violated}"]}`;
}

/** The body of a 503, likewise: the limit refuses what it cannot count. */
export function reducedCapacity(decision: Decision): string {
  return JSON.stringify({
    type: 'https://iana.org/assignments/http-problem-types#temporary-reduced-capacity',
    title: 'Request cannot be satisfied due to temporary server capacity constraints',
    status: 503,
    detail: `The limit cannot be counted now. Try again in ${retryAfterSeconds(decision)} s.`,
    'violated-policies': [decision.quota.name],
  });
}

/** What is the same in every such body; no value of it needs escaping. */
const quotaExceededStart = `${JSON.stringify({
  type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
  title: 'Request cannot be satisfied as assigned quota has been exceeded',
  status: 429,
}).slice(0, -1)},"detail":"`;

/** The body of any other refusal, as `application/problem+json`. */
export function problem(status: number, title: string, detail: string): string {
  return JSON.stringify({ type: 'about:blank', title, status, detail });
}

function windowSeconds({ windowMs }: Quota): number {
  return Math.ceil(windowMs / 1000 - 1e-9);
}

export function retryAfterSeconds({ retryAfterMs }: { readonly retryAfterMs: number }): number {
  return Math.max(1, Math.ceil(retryAfterMs / 1000));
}
