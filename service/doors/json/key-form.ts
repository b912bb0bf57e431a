// How a client writes whose buckets it means: by the key that it gives itself, or as a request's key is written.
//
//   given   alice                                          ─▶ given=alice
//   named   header:x-api-key=alice|address=192.0.2.1       ─▶ the same

import { z } from 'zod';

const keyForms = ['given', 'named'] as const;
export type KeyForm = (typeof keyForms)[number];

export const keyFormShape = z
  .enum(keyForms, { error: keyForms.join(' or ') })
  .optional()
  .describe(
    'named: the key is written as in the name of its bucket, for keys that are made of requests. Without it, or given: as in a check.',
  );

/** In UTF-8. A named key may have several values in it. */
export const keyBytesMax: Readonly<Record<KeyForm, number>> = { given: 512, named: 4096 };

/** What stands for the key in the names of its buckets: no header's and no address's key begins as a given one does. */
export function bucketKeyOf(key: string, form: KeyForm): string {
  return form === 'given' ? `given=${key}` : key;
}
