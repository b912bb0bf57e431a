// Fields of the files of settings, as schemas. In each `error` stands what is allowed.

import { z } from 'zod';
import type { OnStoreFailure } from '../core/limit.ts';

export const written = (allows: (text: string) => unknown, error: string) =>
  z.string({ error }).refine((text) => Boolean(allows(text)), { error });

export const whole = (min: number, max: number) => {
  const error = `a whole number from ${min} to ${max}`;
  return z.number({ error }).int({ error }).min(min, { error }).max(max, { error });
};

export const strict = <T extends z.ZodRawShape>(shape: T) => {
  const fields = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: ({ code }) => (code === 'unrecognized_keys' ? fields : `a mapping with the fields ${fields}`),
  });
};

const budget = strict({ forSeconds: whole(1, 86_400) });
export const onStoreFailure = z
  .union([z.literal(['fallback', 'open', 'closed']), strict({ open: budget }), strict({ closed: budget })], {
    error: 'fallback, open, closed, {open: {forSeconds: COUNT}} or {closed: {forSeconds: COUNT}}',
  })
  .describe(
    'Without Redis: decided by the fallback, allowed, or refused. forSeconds: of an outage; then the fallback.',
  );

export type WrittenOnStoreFailure = z.infer<typeof onStoreFailure>;

export function onStoreFailureOf(written: WrittenOnStoreFailure = 'fallback'): OnStoreFailure {
  if (typeof written === 'string') return { mode: written, forMs: Number.POSITIVE_INFINITY };
  if ('open' in written) return { mode: 'open', forMs: 1000 * written.open.forSeconds };
  return { mode: 'closed', forMs: 1000 * written.closed.forSeconds };
}

/** Those of a list that have the shape, each with its number in the list. */
export function soundItems<Item>(schema: z.ZodType<Item>, list: unknown): (readonly [at: number, item: Item])[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((item, at) => {
    const { success, data } = schema.safeParse(item);
    return success ? [[at, data] as const] : [];
  });
}
