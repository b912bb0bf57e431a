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
