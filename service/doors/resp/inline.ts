// A command typed by hand, on one line: words divided by spaces, and in quotes what has spaces of its own, as Redis reads it.
//
//   CL.THROTTLE "a b" 15 30 60 ─▶ ['CL.THROTTLE', 'a b', '15', '30', '60']

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };

/** A word in quotes must end there. Within double quotes, \xHH is a byte. */
const word =
  /[ \t\r\v\f\0]*(?:"((?:\\[\s\S]|[^"\\])*)"(?=[ \t\r\v\f\0]|$)|'((?:\\'|[^'])*)'(?=[ \t\r\v\f\0]|$)|([^ \t\r\v\f\0"']+)(?=[ \t\r\v\f\0]|$))/y;
const rest = /[ \t\r\v\f\0]*$/y;

/** Undefined where a quote is never closed, or closed in the middle of a word. */
export function wordsOf(line: string): string[] | undefined {
  const words: string[] = [];
  let at = 0;
  for (;;) {
    rest.lastIndex = at;
    if (rest.test(line)) return words;
    word.lastIndex = at;
    const found = word.exec(line);
    if (!found) return undefined;
    const [, doubled, single, plain] = found;
    words.push(doubled !== undefined ? unescaped(doubled) : (single?.replaceAll("\\'", "'") ?? (plain as string)));
    at = word.lastIndex;
  }
}

function unescaped(text: string): string {
  return text.replace(/\\(?:x([\da-fA-F]{2})|([\s\S]))/g, (_, hex: string | undefined, character: string) =>
    hex === undefined ? (escapes[character] ?? character) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
