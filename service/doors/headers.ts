// What a decision looks like in HTTP. Pure functions; the only place where milliseconds are rounded up to seconds.
//
// `RateLimit-Policy` and `RateLimit` follow draft-ietf-httpapi-ratelimit-headers-11 (structured fields, RFC 9651); the
// X- headers are the older convention; `Retry-After` is RFC 9110 §10.2.3; the body is RFC 9457 with the draft's problem
// type.

import type { Decision, Policy } from '../core/store.ts';

/** Names and values in turn, as `writeHead` takes them. */
export type Headers = string[];

/** Name and value: `"default";q=5;w=10`, quota in tokens and window in seconds. Made once for each policy. */
export function policyHeader(policy: Policy): readonly [name: string, value: string] {
  let header = policyHeaders.get(policy);
  if (header === undefined) {
    header = ['RateLimit-Policy', `"${policy.name}";q=${policy.capacity};w=${windowSeconds(policy)}`];
    policyHeaders.set(policy, header);
  }
  return header;
}

const policyHeaders = new WeakMap<Policy, readonly [name: string, value: string]>();

/** The headers of every answer, `nowMs` being Unix time. */
export function decisionHeaders(policy: Policy, decision: Decision, nowMs: number): Headers {
  const headers = [
    'X-RateLimit-Limit',
    String(decision.limit),
    'X-RateLimit-Remaining',
    String(decision.remaining),
    'X-RateLimit-Reset',
    String(Math.ceil((nowMs + decision.resetMs) / 1000)),
    'RateLimit',
    `"${policy.name}";r=${decision.remaining};t=${Math.ceil(decision.resetMs / 1000)}`,
    'X-RateLimit-Mechanism',
    decision.mechanism,
  ];
  if (!decision.allowed && Number.isFinite(decision.retryAfterMs))
    headers.push('Retry-After', String(retryAfterSeconds(decision)));
  return headers;
}

/** The body of a 429, as `application/problem+json`, in ASCII. */
export function quotaExceeded(policy: Policy, decision: Decision): string {
  const detail = `Quota of ${decision.limit} requests in ${windowSeconds(policy)} s is used up. Try again in ${retryAfterSeconds(decision)} s.`;
  return `${quotaExceededStart}${detail}","violated-policies":["${policy.name}"]}`;
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

function windowSeconds(policy: Policy): number {
  return Math.ceil(policy.capacity / policy.refillPerSecond - 1e-9);
}

function retryAfterSeconds(decision: Decision): number {
  return Math.max(1, Math.ceil(decision.retryAfterMs / 1000));
}
