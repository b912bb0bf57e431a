// What the text of a setting may be: which is allowed, and what it becomes; undefined where it is not allowed.

import { hostPortsOf } from './redis-address.ts';

/** A whole number from `min` to `max`. */
export const whole = (min: number, max: number) => ({
  allowed: `a whole number from ${min} to ${max}`,
  parse: (text: string) =>
    /^(0|[1-9]\d*)$/.test(text) && Number(text) >= min && Number(text) <= max ? Number(text) : undefined,
});

export const optional = (allowed: string, pattern: RegExp) => ({
  allowed: `nothing, or ${allowed}`,
  parse: (text: string) => (text === '' || pattern.test(text) ? text : undefined),
});

/** As a header can carry it (RFC 6750 §2.1). */
export const token = {
  secret: true as const,
  ...optional('a token of letters, digits and - . _ ~ + / =', /^[\w\-.~+/]+=*$/),
};

/** Comma-separated addresses. */
export const addresses = {
  allowed: 'nothing, or host:port,host:port…',
  parse: hostPortsOf,
};
