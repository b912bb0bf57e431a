// What a request's target says (RFC 9112 §3.2): a path and a query, behind a scheme and a host in its absolute form.
//
//   http://host/search?q=a ─▶ /search, {q: a}

const schemeAndHost = /^[a-z][a-z\d+.-]*:\/\/[^/\\?#]*/i;

/** The path, as it is written. */
export function pathOf(target = ''): string {
  const start = target.startsWith('/') ? 0 : (schemeAndHost.exec(target)?.[0].length ?? 0);
  const end = target.slice(start).search(/[?#]/);
  return end === -1 ? target.slice(start) : target.slice(start, start + end);
}

const none: Readonly<Record<string, string>> = {};

/** Characters of a query that are read: to read all that a target may have takes longer than a request may wait. */
const queryLengthMax = 8192;

/** The query's parameters, as far as they are read; one that is there several times is the list of its values. */
export function queryIn(target = ''): Readonly<Record<string, string | readonly string[]>> {
  const at = target.indexOf('?');
  if (at === -1) return none;
  const all = new Map<string, string | string[]>();
  for (const [name, value] of new URLSearchParams(target.slice(at + 1, at + 1 + queryLengthMax).replace(/#.*/, ''))) {
    const before = all.get(name);
    if (before === undefined) all.set(name, value);
    else if (typeof before === 'string') all.set(name, [before, value]);
    else before.push(value);
  }
  return Object.fromEntries(all);
}
