// Text that others wrote, made fit for a terminal and for a line of a table. A terminal obeys control characters, and a
// reader believes the order of letters that direction marks turn round, so neither gets through.

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
const obeyed = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Keeps tabs and ends of lines; each other control character becomes U+FFFD. */
export function printable(text: string): string {
  return text.toWellFormed().replace(obeyed, '\ufffd');
}

/** The same, on one line. */
export function oneLine(text: string): string {
  return printable(text.replace(/[\t\n\v\f\r\u2028\u2029]+/g, ' '));
}

/** On lines of at most so many characters, 1 or more, each broken between words, or within a word that fills it. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  const step = Math.max(1, width);
  for (const word of oneLine(text).split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else for (let at = 0; at === 0 || at < word.length; at += step) lines.push(word.slice(at, at + step));
  }
  return lines;
}
