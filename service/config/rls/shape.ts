// What a file of rules says: the schema that reads one. It is the format of envoyproxy/ratelimit, with one field more. The
// table of service/README.md is made from what the fields say of themselves.

import { z } from 'zod';
import { unitSeconds } from '../../doors/rls/rules.ts';
import { onStoreFailure, strict, whole } from '../field-shapes.ts';
import { capacityMax } from '../limit-text.ts';

const units = Object.keys(unitSeconds) as (keyof typeof unitSeconds)[];

export const unitAllowed = units.join(', ');
export const requestsAllowed = `a whole number from 0 to ${capacityMax}`;

const filled = (error = 'a text that is not empty') => z.string({ error }).min(1, { error });

/** Nothing behind the colon is the same as no field. */
const text = z.string({ error: 'a text' }).nullish();
const flag = z.boolean({ error: 'true, false' }).nullish();

/** A field of theirs that cannot be followed: `why` is told to whoever sets it. */
const refused = { refused: true };
const refusedFlag = (why: string) =>
  z
    .literal(false, { error: `false or not there: ${why}` })
    .nullish()
    .meta({ ...refused, description: why });
const refusedField = (why: string) =>
  z
    .undefined({ error: `not there: ${why}` })
    .optional()
    .meta({ ...refused, description: why });

export const rateLimitShape = {
  unit: z
    .string({ error: unitAllowed })
    .toLowerCase()
    .pipe(z.literal(units, { error: unitAllowed }))
    .exactOptional()
    .describe(
      `${unitAllowed}, in any case: the time in which an empty bucket refills. A month has 30 days, a year 365`,
    ),
  requests_per_unit: whole(0, capacityMax)
    .exactOptional()
    .describe(`capacity of the bucket, up to ${capacityMax}. 0 refuses every request`),
  unlimited: flag.describe('no bucket: every request is allowed. It goes with neither `unit` nor `requests_per_unit`'),
  name: text.describe('what `replaces` calls it, and an answer its limit'),
  replaces: z
    .array(strict({ name: filled('the name of another rate_limit') }), { error: 'a list of mappings with a name' })
    .nullish()
    .describe('names of limits that do not count in a request in which this one does'),
};

export const descriptorShape = {
  key: filled()
    .refine((key) => !key.includes('*'), { error: 'a text without *, which stands for any text in a value only' })
    .describe('key of the entry'),
  value: text.describe(
    'value of the entry; `*` in it stands for any text. Without it, any value. A value that is written out goes before one with `*`, and that before a key alone',
  ),
  rate_limit: strict(rateLimitShape).exactOptional().describe('limit of a descriptor that ends here; without it, none'),
  get descriptors() {
    return descriptors;
  },
  shadow_mode: flag.describe('only tried out: its decisions are counted, and refuse nobody'),
  share_threshold: flag.describe('all values that match the `*` share one bucket'),
  detailed_metric: flag.describe(
    'allowed; labels of metrics stay few whatever it says, and [`/v1/top`](#looks-resets-refunds) tells which values are refused most',
  ),
  value_to_metric: flag.describe('the same'),
  quota_mode: refusedFlag('a request takes what it asks for of all its limits, or nothing'),
  metadata: refusedField('answers have no dynamic metadata'),
  onStoreFailure: onStoreFailure
    .exactOptional()
    .describe('not theirs: what happens without Redis, as in [policies](#policies)'),
};

export const descriptor: z.ZodType<WrittenDescriptor> = strict(descriptorShape);

const descriptors: z.ZodType<readonly WrittenDescriptor[] | null | undefined> = z
  .array(descriptor, { error: 'a list of descriptors' })
  .nullish()
  .describe('entries of a request that come next');

export const domainShape = {
  domain: filled().describe('of the requests that the file is for; each file has its own'),
  descriptors,
};

export const rulesFile = strict(domainShape);

export interface WrittenDescriptor {
  readonly key: string;
  readonly value?: string | null | undefined;
  readonly rate_limit?: WrittenRateLimit;
  readonly descriptors?: readonly WrittenDescriptor[] | null | undefined;
  readonly shadow_mode?: boolean | null | undefined;
  readonly share_threshold?: boolean | null | undefined;
  readonly onStoreFailure?: z.infer<typeof onStoreFailure>;
}

export type WrittenRateLimit = z.infer<z.ZodObject<typeof rateLimitShape>>;

/** What one file says. */
export interface WrittenDomain {
  readonly domain: string;
  readonly descriptors?: readonly WrittenDescriptor[] | null | undefined;
}
