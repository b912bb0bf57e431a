// What a request's target says: the path by which its route is found, the parameters in it, and those of the query.

import { badRequest } from './refusal.ts';

/** As it is written, without the query; also of a target that says the host as well (RFC 9112 §3.2.2). */
export function pathOf(target = ''): string {
  const at = target.indexOf('?');
  const path = at === -1 ? target : target.slice(0, at);
  return path.startsWith('/') ? path : path.replace(/^https?:\/\/[^/]*/i, '');
}

const none: Readonly<Record<string, string>> = {};

/** The query's parameters; one that is there several times is the list of its values. */
export function queryIn(target = ''): Readonly<Record<string, string | readonly string[]>> {
  const at = target.indexOf('?');
  if (at === -1) return none;
  const all = new URLSearchParams(target.slice(at));
  return Object.fromEntries(
    [...all.keys()].map((name) => {
      const values = all.getAll(name);
      return [name, values.length === 1 ? (values[0] as string) : values];
    }),
  );
}

/** The path's parameters, decoded. Throws a `Refusal` for what does not decode. */
export function parametersIn(encoded: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(encoded).map(([name, text]) => [name, decoded(name, text)]));
}

function decoded(name: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badRequest([{ field: name, detail: `${name} is ${JSON.stringify(text)}; allowed: percent-encoded UTF-8` }]);
  }
}
