// Requests that an OpenAPI document allows, and such as it nearly allows.

import fc from 'fast-check';

export interface JsonSchema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
}

export interface Operation {
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: 'path' | 'query';
    readonly schema: JsonSchema;
  }[];
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: JsonSchema } } };
  readonly responses: Readonly<Record<string, { readonly content: Readonly<Record<string, object>> }>>;
}

export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

export interface GeneratedRequest {
  /** Where the operation stands in the document. */
  readonly path: string;
  readonly method: string;
  /** Path and query, encoded. */
  readonly url: string;
  /** As it is sent. */
  readonly body?: string | undefined;
}

/** `words`: strings that mean something to the service, to be used now and then. */
export function requestsOf(document: OpenApi, words: readonly string[]): fc.Arbitrary<GeneratedRequest> {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => requestOf(path, method, operation, words)),
  );
  return fc.oneof(...operations);
}

function requestOf(
  path: string,
  method: string,
  { parameters = [], requestBody }: Operation,
  words: readonly string[],
): fc.Arbitrary<GeneratedRequest> {
  const textsOf = (where: 'path' | 'query') =>
    fc.record(
      Object.fromEntries(parameters.filter((it) => it.in === where).map((it) => [it.name, nearlyOf(it.schema, words)])),
      where === 'path' ? {} : { requiredKeys: [] },
    );
  const body = requestBody ? bodyOf(requestBody.content['application/json'].schema, words) : fc.constant(undefined);
  return fc.record({ inPath: textsOf('path'), inQuery: textsOf('query'), body }).map(({ inPath, inQuery, body }) => {
    const filled = path.replace(/\{(\w+)\}/g, (_, name) => encoded(inPath[name]) || '%00');
    const query = Object.entries(inQuery).map(([name, value]) => `${name}=${encoded(value)}`);
    return { path, method, url: filled + (query.length > 0 ? `?${query.join('&')}` : ''), body };
  });
}

/** JSON mostly; now and then it is cut off, or no JSON at all. */
function bodyOf(schema: JsonSchema, words: readonly string[]): fc.Arbitrary<string> {
  const whole = nearlyOf(schema, words).map((value) => JSON.stringify(value) ?? '');
  return fc.oneof(
    { weight: 12, arbitrary: whole },
    { weight: 1, arbitrary: fc.tuple(whole, fc.nat(100)).map(([text, at]) => text.slice(0, at)) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 50 }) },
  );
}

/** What fits, mostly. */
function nearlyOf(schema: JsonSchema, words: readonly string[]): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 15, arbitrary: fittingOf(schema, words) },
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
  );
}

function fittingOf(schema: JsonSchema, words: readonly string[]): fc.Arbitrary<unknown> {
  const { properties = {}, required = [], items = {} } = schema;
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives) return fc.oneof(...alternatives.map((it) => nearlyOf(it, words)));
  switch (schema.type) {
    case 'string':
      return fc.oneof(
        { weight: 8, arbitrary: fc.constantFrom(...words) },
        fc.string({ unit: 'binary', maxLength: 20 }),
        fc.string({ minLength: 1, maxLength: 600 }),
        fc.constantFrom('', '\ud800', '__proto__', 'x'.repeat(512), 'x'.repeat(513), '..', '%2e', 'a/b'),
      );
    case 'integer':
    case 'number':
      return fc.oneof(
        { weight: 3, arbitrary: fc.integer({ min: 1, max: 5 }) },
        fc.maxSafeInteger(),
        fc.double(),
        fc.constantFrom(0, -1, 1e300),
      );
    case 'boolean':
      return fc.boolean();
    case 'array':
      return fc.oneof(
        { weight: 40, arbitrary: fc.array(nearlyOf(items, words), { maxLength: 4 }) },
        { weight: 1, arbitrary: nearlyOf(items, words).map((one) => Array(1001).fill(one)) },
      );
    case 'object': {
      const known = fc.record(
        Object.fromEntries(Object.entries(properties).map(([name, it]) => [name, nearlyOf(it, words)])),
        { requiredKeys: [...required] },
      );
      const others = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 1 }), { minKeys: 1, maxKeys: 2 });
      return fc.oneof(
        { weight: 15, arbitrary: known },
        { weight: 1, arbitrary: fc.tuple(known, others).map(([one, other]) => ({ ...one, ...other })) },
        { weight: 1, arbitrary: fc.constant({}) },
      );
    }
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

function encoded(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return encodeURIComponent(text.toWellFormed());
}
