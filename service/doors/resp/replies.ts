// What clients of Redis are answered, as it goes over the wire: RESP2, and RESP3 for who asked for it. A byte is a character
// (latin1), as in what was read.

export type Protocol = 2 | 3;

export function simple(text: string): string {
  return `+${text}\r\n`;
}

export const ok = simple('OK');

/** `text`: its code first, as in `ERR no such thing`. */
export function error(text: string): string {
  return `-${text.replace(/[\r\n]/g, ' ')}\r\n`;
}

export function integer(value: number): string {
  return `:${value}\r\n`;
}

export function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

export function array(items: readonly string[]): string {
  return `*${items.length}\r\n${items.join('')}`;
}

/** In RESP2, which has none, a list. */
export function set(items: readonly string[], protocol: Protocol): string {
  return `${protocol === 3 ? '~' : '*'}${items.length}\r\n${items.join('')}`;
}

/** In RESP2, which has none, a list of keys and values. */
export function map(entries: readonly (readonly [string, string])[], protocol: Protocol): string {
  const items = entries.flat().join('');
  return protocol === 3 ? `%${entries.length}\r\n${items}` : `*${2 * entries.length}\r\n${items}`;
}

export function nothing(protocol: Protocol): string {
  return protocol === 3 ? '_\r\n' : '$-1\r\n';
}

/** Text for people; of RESP2, an ordinary string. */
export function verbatim(text: string, protocol: Protocol): string {
  return protocol === 3 ? `=${text.length + 4}\r\ntxt:${text}\r\n` : bulk(text);
}
