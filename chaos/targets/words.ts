// A command line as its words, as a shell splits it: quotes and backslashes are understood. What else a shell would do is
// not done but refused, since a shell between the lab and a program would be the one that is ended.

const word = /\s*((?:[^\s"'\\]|\\[\s\S]|"(?:[^"\\]|\\[\s\S])*"|'[^']*')+)/y;
const shellOnly = /^[;&|<>()]|[;&|<>`]$|\$[({A-Za-z]/;

/** Throws an `Error` that says what is wrong with it, as the end of a sentence that names it. */
export function wordsOf(line: string): string[] {
  const words: string[] = [];
  const end = line.trimEnd().length;
  word.lastIndex = 0;
  for (let at = 0; at < end; at = word.lastIndex) {
    word.lastIndex = at;
    const raw = word.exec(line)?.[1];
    if (raw === undefined) throw new Error('has a quote that is not closed');
    const bare = raw.replace(/\\[\s\S]|"(?:[^"\\]|\\[\s\S])*"|'[^']*'/g, '');
    const operator = shellOnly.exec(bare)?.[0];
    if (operator !== undefined) throw new Error(`has ${operator}, which only a shell understands; write sh -c '…'`);
    words.push(unquoted(raw));
  }
  if (words.length === 0) throw new Error('names no program');
  return words;
}

function unquoted(raw: string): string {
  return raw.replace(
    /\\([\s\S])|"((?:[^"\\]|\\[\s\S])*)"|'([^']*)'/g,
    (_all, escaped: string | undefined, double: string | undefined, single: string | undefined) =>
      escaped ?? double?.replace(/\\(["\\$`])/g, '$1') ?? single ?? '',
  );
}
