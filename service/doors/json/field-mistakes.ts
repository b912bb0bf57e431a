// What a schema finds wrong, as a client is told it.

import type { z } from 'zod';
import type { FieldMistake } from './refusal.ts';

/** Longest value that is told, in characters. */
const shownMax = 60;

/** In the order of the fields; in each issue's message stands what is allowed. `whole` is what all of `value` is called. */
export function fieldMistakesOf(error: z.ZodError, value: unknown, whole: string): FieldMistake[] {
  return error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => {
        const field = fieldOf([...issue.path, key], whole);
        return { field, detail: `${field} is no field; allowed: ${issue.message}` };
      });
    }
    const field = fieldOf(issue.path, whole);
    const found = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown>)[key], value);
    return [{ field, detail: `${field} is ${shown(found)}; allowed: ${issue.message}` }];
  });
}

/** `checks[1].cost` */
function fieldOf(path: readonly PropertyKey[], whole: string): string {
  const text = path
    .map((name, i) => (typeof name === 'number' ? `[${name}]` : `${i > 0 ? '.' : ''}${clipped(String(name))}`))
    .join('');
  return text || whole;
}

/** What it is; of what may be as deep as the client likes, only which kind of thing. */
export function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'number') return String(value); // JSON has no Infinity
  if (typeof value !== 'object' || value === null) return clipped(JSON.stringify(value));
  return Array.isArray(value) ? `a list of ${value.length}` : 'an object';
}

function clipped(text: string): string {
  return text.length > shownMax ? `${text.slice(0, shownMax)}…` : text;
}
