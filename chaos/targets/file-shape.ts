// What a target file says: the schema that reads one, and from which target.schema.json is made for editors.

import { z } from 'zod';
import { topologies } from '../scenario.ts';
import { numberFrom, numberOver, strict, text, whole } from '../shape.ts';
import { ownVariables } from './target.ts';
import { wordsOf } from './words.ts';

/** What the generator says itself of every request. */
const ownHeaders: readonly string[] = ['host', 'content-length', 'transfer-encoding', 'connection', 'expect'];

const written = (pattern: RegExp, error: string) => z.string({ error }).regex(pattern, { error });

const name = written(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'lower-case words with hyphens').max(60, {
  error: 'at most 60 characters',
});
const wordsInBraces = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, word = '']) => word);
const isFilledIn = (word: string) => word === 'key' || word === 'cost';
/** What else stands in braces may be a body's own, unless it is one of these words in another case. */
const isNoSlip = (text: string) =>
  wordsInBraces(text).every((word) => isFilledIn(word) || !isFilledIn(word.toLowerCase()));
const lowerCase = '{key} and {cost} in lower case';

const path = written(/^\/[!-~]*$/, 'a path that begins with /, in characters of ASCII without spaces');
const pointer = written(/^(\/([^~\n]|~[01])*)?$/, 'a JSON Pointer such as /allowed');
const header = written(/^[\w!#$%&'*+.^`|~-]+$/, 'the name of a header');

const command = z.string({ error: 'a program and its arguments' }).check(({ value, issues }) => {
  try {
    wordsOf(value);
  } catch (error) {
    const message = `a program and its arguments, and it ${(error as Error).message}`;
    issues.push({ code: 'custom', message, input: value, path: [] });
  }
});

const env = z
  .record(
    written(/^[A-Za-z_]\w*$/, 'names of letters, digits and _').refine((name) => !ownVariables.includes(name), {
      error: `other variables than ${ownVariables.join(', ')}, which the lab gives each instance`,
    }),
    z.union([z.string(), z.number(), z.boolean()], { error: 'text, a number, true or false' }),
    { error: 'a mapping of variables' },
  )
  .describe('Its variables, beside those that every limiter gets. {redis}, {host} and {port} are filled in.');

const byCommand = strict({
  command: command.describe('Started once for each instance. {redis}, {host} and {port} are filled in.'),
  cwd: z.string({ error: 'a directory' }).exactOptional().describe('From the directory of this file.'),
  env: env.exactOptional(),
});

const byImage = strict({
  image: written(/^[a-z0-9][\w./:@-]*$/i, 'the name of an image').describe('Started once for each instance.'),
  port: whole(1, 65_535).exactOptional().describe('On which it listens, on all addresses. By default 8080.'),
  env: env.exactOptional(),
});

const urlError = 'an address such as http://127.0.0.1:9000, without a path';
const byUrl = strict({
  url: z
    .string({ error: urlError })
    .refine((url) => /^https?:/.test(url) && URL.parse(url)?.origin === url.replace(/\/$/, ''), { error: urlError })
    .describe('Where it already runs. The lab can break nothing of it.'),
});

const take = strict({
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'], { error: 'GET, POST, PUT, PATCH, DELETE' }).exactOptional(),
  path: path
    .refine((path) => wordsInBraces(path).every(isFilledIn), {
      error: 'no other words in braces than {key} and {cost}',
    })
    .exactOptional(),
  headers: z
    .record(
      header.refine((name) => !ownHeaders.includes(name.toLowerCase()), {
        error: `names of headers other than ${ownHeaders.join(', ')}`,
      }),
      written(/^[\t -~]*$/, 'text in characters of ASCII, on one line').refine(isNoSlip, {
        error: lowerCase,
      }),
      { error: 'a mapping of headers' },
    )
    .exactOptional(),
  body: z.string({ error: 'text' }).refine(isNoSlip, { error: lowerCase }).exactOptional(),
})
  .refine(({ method = 'GET', body }) => body === undefined || method !== 'GET', {
    error: 'a body with another method than GET',
  })
  .refine(
    ({ path = '', headers, body = '' }) =>
      !headers || [path, body, ...Object.values(headers)].some((text) => text.includes('{key}')),
    {
      error: '{key} in path, headers or body',
    },
  )
  .describe('How one token is asked for. {key} and {cost} are filled in. By default GET / with the key in x-key.');

const statusError = 'a status from 100 to 599, or a class such as 2xx';
const conditionError = 'a status, or pointer and equals, or all three';
const condition = {
  status: z
    .union(
      [
        z.int({ error: statusError }).min(100, { error: statusError }).max(599, { error: statusError }),
        z.enum(['1xx', '2xx', '3xx', '4xx', '5xx'], { error: statusError }),
      ],
      { error: statusError },
    )
    .exactOptional(),
  pointer: pointer.exactOptional().describe('JSON Pointer (RFC 6901) to a value in the body.'),
  equals: z
    .union([z.string(), z.number(), z.boolean(), z.null()], { error: 'text, a number, true, false or null' })
    .exactOptional(),
};
const together = { dependentRequired: { pointer: ['equals'], equals: ['pointer'] } };
const areTogether = ({ pointer, equals }: { pointer?: unknown; equals?: unknown }) =>
  (pointer === undefined) === (equals === undefined);

const meaning = strict(condition)
  .refine((given) => areTogether(given) && (given.status ?? given.pointer) !== undefined, { error: conditionError })
  .meta({ ...together, minProperties: 1 });

const placeError = 'header: NAME, or pointer: /PATH';
const place = z.union([strict({ header }), strict({ pointer })], { error: placeError });
const words = {
  redis: text().exactOptional().describe('Its word for the store that all instances share. By default redis.'),
  fallback: text().exactOptional().describe("Its word for an instance's own store. By default fallback."),
};
const sourcePlace = z.union([strict({ header, ...words }), strict({ pointer, ...words })], { error: placeError });

export const targetFile = strict({
  name,
  start: z
    .union([byCommand, byImage, byUrl], { error: 'command: CMD, image: NAME, or url: ADDRESS' })
    .describe('Who starts it.'),
  topologies: z
    .array(z.enum(topologies, { error: topologies.join(', ') }), { error: 'a list of topologies' })
    .min(1, { error: topologies.join(', ') })
    .exactOptional()
    .describe('The kinds of Redis that it can use. By default all.'),
  take: take.exactOptional(),
  answer: strict({
    allowed: meaning.exactOptional().describe('By default 2xx.'),
    denied: meaning.exactOptional().describe('By default 429. What is neither has failed.'),
    remaining: place.exactOptional().describe('Where it says how many tokens are left.'),
    source: sourcePlace.exactOptional().describe('Where it says who decided.'),
  })
    .exactOptional()
    .describe('How an answer is read.'),
  bounds: strict({
    capacity: numberOver(0).exactOptional(),
    refillPerSecond: numberOver(0).exactOptional(),
    fallbackCapacity: numberFrom(0).exactOptional(),
    fallbackRefillPerSecond: numberFrom(0).exactOptional(),
    memoryGrowthMiB: numberOver(0)
      .exactOptional()
      .describe('What its process may have beyond the memory of its baseline. Not judged by default.'),
  })
    .exactOptional()
    .describe(
      'What one key may be given: by Redis, and by one instance without it. By default as the limiters are told.',
    ),
  ready: strict({ path, ...condition })
    .refine(areTogether, { error: conditionError })
    .meta(together)
    .exactOptional()
    .describe('It is ready when a GET of this path is answered so. By default with 2xx.'),
  breaker: strict({ path }).exactOptional().describe('Where it tells, as JSON, how its breaker moves.'),
}).refine(
  ({ start, bounds }) => !('url' in start) || (bounds?.capacity !== undefined && bounds.refillPerSecond !== undefined),
  {
    path: ['bounds'],
    error: 'capacity and refillPerSecond of what runs at start.url, which the lab cannot tell its limit',
  },
);

export type TargetFile = z.infer<typeof targetFile>;

/** JSON Schema of a target file, as text. */
export function targetSchema(): string {
  const schema = z.toJSONSchema(targetFile.meta({ title: 'A limiter for the chaos lab to judge' }), { io: 'input' });
  return `${JSON.stringify(schema, null, 2)}\n`;
}
