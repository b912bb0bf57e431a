// What kind of key a key is: all of it that is not somebody's own value.
//
//   key:alice ─▶ key:        address=192.0.2.1 ─▶ address=        header:x-api-key=a|address=192.0.2.1 ─▶ header:x-api-key|address=

/** Of the settings' policy, or given by a caller: what follows is a value as it is, whatever it looks like. */
const ofOneValue = /^(?:key:|address:|given=)/;
/** Of a policy's parts, whose values are escaped. */
const part = /(address|(?:header|cookie|path|jwt):[^=]+)=[^|]*(?:\||$)/y;

/** The kind, with what divides it from the values; empty where there is no telling. */
export function keyKindOf(key: string): string {
  const [start] = ofOneValue.exec(key) ?? [];
  if (start !== undefined) return start;
  const labels: string[] = [];
  part.lastIndex = 0;
  while (labels.length === 0 || part.lastIndex < key.length) {
    const [, label] = part.exec(key) ?? [];
    if (label === undefined) return '';
    labels.push(label);
  }
  return `${labels.join('|')}=`;
}
