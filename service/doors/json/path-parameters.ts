// The parameters in a route's path.

import { badRequest } from './refusal.ts';

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
