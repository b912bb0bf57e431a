// What a client sent, as a schema reads it; and what the schema finds wrong, as the client is told it.

import type { z } from 'zod';
import { clipped } from '../clipped.ts';
import { distinctIssues } from '../distinct-issues.ts';
import { badRequest, errorsMax, type FieldMistake } from './refusal.ts';

/** Longest value that is told, in characters. */
const shownMax = 60;

/** More than any object of a request has; a schema would take long to name them all. */
const fieldsMax = 100;

/** Throws a `Refusal` that names the fields that are wrong. `whole` is what all of `value` is called. */
export function readBy<T>(schema: z.ZodType<T>, value: unknown, whole: string): T {
  const read = tryReadBy(schema, value, whole);
  if ('mistakes' in read) throw badRequest(read.mistakes);
  return read.data;
}

/** The same; the mistakes are its answer. `prefix` is what stands before the name of each field. */
export function tryReadBy<T>(
  schema: z.ZodType<T>,
  value: unknown,
  whole: string,
  prefix = '',
): { readonly data: T } | { readonly mistakes: readonly FieldMistake[] } {
  const count = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value).length : 0;
  if (count > fieldsMax)
    return { mistakes: [{ field: whole, detail: `${whole} has ${count} fields; allowed: up to ${fieldsMax}` }] };
  const result = schema.safeParse(value);
  return result.success ? result : { mistakes: fieldMistakesOf(result.error, value, whole, prefix) };
}

/**
 * The first ones, in the order of the fields; in each issue's message stands what is allowed.
 */
function fieldMistakesOf({ issues }: z.ZodError, value: unknown, whole: string, prefix: string): FieldMistake[] {
  return distinctIssues(issues.slice(0, errorsMax)).flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.slice(0, errorsMax).map((key) => {
        const field = fieldOf([...issue.path, key], whole, prefix);
        return { field, detail: `${field} is no field; allowed: ${issue.message}` };
      });
    }
    const field = fieldOf(issue.path, whole, prefix);
    const found = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown>)[key], value);
    return [{ field, detail: `${field} is ${shown(found)}; allowed: ${issue.message}` }];
  });
}

/** `checks[1].cost` */
function fieldOf(path: readonly PropertyKey[], whole: string, prefix: string): string {
  const text = path
    .map((name, i) =>
      typeof name === 'number' ? `[${name}]` : `${i > 0 ? '.' : ''}${clipped(String(name), shownMax)}`,
    )
    .join('');
  return text === '' ? whole : prefix + text;
}

/** What it is; of what may be as deep as the client likes, only which kind of thing. */
export function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'number') return String(value); // JSON has no Infinity
  if (typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint') return `a ${typeof value}`;
  if (typeof value !== 'object' || value === null) return clipped(JSON.stringify(value), shownMax);
  return Array.isArray(value) ? `a list of ${value.length}` : 'an object';
}
