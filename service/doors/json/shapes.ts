// Parts of the schemas of requests. In each `error` stands what is allowed.

import { z } from 'zod';

/** An object with these fields and no other. */
export function fields<T extends z.ZodRawShape>(shape: T): z.ZodObject<T, z.core.$strict> {
  const names = Object.keys(shape).join(', ') || 'none';
  return z.strictObject(shape, {
    error: ({ code }) => (code === 'unrecognized_keys' ? names : `an object with the fields ${names}`),
  });
}

export function whole(min: number, max: number): z.ZodNumber {
  const error = `a whole number from ${min} to ${max}`;
  return z.number({ error }).int({ error }).min(min, { error }).max(max, { error });
}

/** Of a request without any. */
export const noFields: z.ZodType = fields({});
