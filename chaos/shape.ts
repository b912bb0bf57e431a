// What text from outside must look like, in zod, with one kind of message. In every schema here `error` is what is
// allowed, and `mistakeOf` puts the name and the value before it: `seed is -1; allowed: a whole number from 0 to 9`.

import { z } from 'zod';

/** Fewer characters than anybody reads, and more than anything of ours has. */
const textMax = 4096;
const shownMax = 100;

export const text = () => {
  const error = `text of at most ${textMax} characters`;
  return z.string({ error }).max(textMax, { error });
};

export const flag = () => z.boolean({ error: 'true, false' });

export const numberFrom = (min: number, error = `a number from ${min}`) => z.number({ error }).min(min, { error });

export const numberOver = (min: number) => {
  const error = `a number over ${min}`;
  return z.number({ error }).gt(min, { error });
};

export const whole = (min: number, max: number) => {
  const error = `a whole number from ${min} to ${max}`;
  return z.number({ error }).int({ error }).min(min, { error }).max(max, { error });
};

export const oneOf = <const T extends readonly (string | boolean | null)[]>(...allowed: T) =>
  z.literal(allowed, { error: allowed.map(String).join(', ') });

/** The first thing about the value that does not fit, in one sentence without its full stop. */
export function mistakeOf(error: z.ZodError, value: unknown): string {
  const [issue] = error.issues;
  const path = issue?.path ?? [];
  const found = path.reduce<unknown>((at, name) => (at as Record<PropertyKey, unknown> | undefined)?.[name], value);
  return `${path.join('.') || 'it'} is ${shown(found)}; allowed: ${issue?.message}`;
}

/** As JSON, which has no control characters, and not all of it. */
export function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  const json = JSON.stringify(value);
  return json.length > shownMax ? `${json.slice(0, shownMax)}…` : json;
}
