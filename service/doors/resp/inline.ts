// A command typed by hand, on one line: words divided by spaces, and in quotes what has spaces of its own, as Redis reads it.
//
//   CL.THROTTLE "a b" 15 30 60 ─▶ ['CL.THROTTLE', 'a b', '15', '30', '60']

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };

/** What stands before a quote belongs to the word, which ends with the quote. Within double quotes, \xHH is a byte. */
const word =
  /[ \t\r\v\f\0]*(?![ \t\r\v\f\0])([^ \t\r\v\f\0"']*)(?:"((?:\\[\s\S]|[^"\\])*)"|'((?:\\'|\\(?!')|[^'\\])*)')?(?=[ \t\r\v\f\0]|$)/y;
const rest = /[ \t\r\v\f\0]*$/y;

/** Undefined where a quote is never closed, or is followed by more of a word. */
export function wordsOf(line: string): string[] | undefined {
  const words: string[] = [];
  let at = 0;
  for (;;) {
    rest.lastIndex = at;
    if (rest.test(line)) return words;
    word.lastIndex = at;
    const found = word.exec(line);
    if (!found) return undefined;
    const [, plain = '', doubled = '', single = ''] = found;
    words.push(plain + unescaped(doubled) + single.replaceAll("\\'", "'"));
    at = word.lastIndex;
  }
}

function unescaped(text: string): string {
  return text.replace(/\\(?:x([\da-fA-F]{2})|([\s\S]))/g, (_, hex: string | undefined, character: string) =>
    hex === undefined ? (escapes[character] ?? character) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
