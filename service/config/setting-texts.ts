// What the text of a setting may be: which is allowed, and the schema that makes a value of it.

import { z } from 'zod';
import { hostPortsOf } from './redis-address.ts';

/** What `parse` makes of the text; undefined says that it is not allowed. */
export const parsed = <T>(parse: (text: string) => T | undefined) =>
  z.string().transform((text, { issues }): T => {
    const value = parse(text);
    if (value !== undefined) return value;
    issues.push({ code: 'custom', input: text });
    return z.NEVER;
  });

/** Of a setting that may be left out. */
export const unset = z.literal('').transform(() => null);

/** A whole number from `min` to `max`. */
export const whole = (min: number, max: number) => ({
  allowed: `a whole number from ${min} to ${max}`,
  shape: z
    .string()
    .regex(/^(0|[1-9]\d*)$/)
    .transform(Number)
    .pipe(z.number().min(min).max(max)),
});

/** The same, or nothing. */
export const optionalWhole = (min: number, max: number) => {
  const { allowed, shape } = whole(min, max);
  return { allowed: `nothing, or ${allowed}`, shape: unset.or(shape) };
};

export const optional = (allowed: string, pattern: RegExp) => ({
  allowed: `nothing, or ${allowed}`,
  shape: z.literal('').or(z.string().regex(pattern)),
});

/** As a header can carry it (RFC 6750 §2.1), and a client of Redis that has not said it yet. */
export const token = {
  secret: true as const,
  ...optional('a token of up to 1024 letters, digits and - . _ ~ + / =', /^(?=.{1,1024}$)[\w\-.~+/]+=*$/),
};

/** Comma-separated addresses. */
export const addresses = {
  allowed: 'nothing, or host:port,host:port…',
  shape: parsed(hostPortsOf),
};
