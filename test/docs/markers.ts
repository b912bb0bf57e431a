// Where a page takes a generated block: between `<!-- name -->` and `<!-- /name -->`, each on a line of its own.

/** Blocks of one page by name, in Markdown, without blank lines around them. */
export type Blocks = Readonly<Record<string, string>>;

/** The page with its blocks as they should be. Throws when the page has no place for a block. */
export function filled(page: string, blocks: Blocks): string {
  return Object.entries(blocks).reduce((text, [name, block]) => {
    const [begin, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->\n`];
    const [before, rest] = splitOnce(text, begin);
    const [, after] = splitOnce(rest, end);
    return `${before}${begin}${block}\n${end}${after}`;
  }, page);
}

function splitOnce(text: string, marker: string): [before: string, after: string] {
  const parts = text.split(marker);
  if (parts.length !== 2) throw new Error(`the page has the line ${marker.trim()} ${parts.length - 1} times, not once`);
  return parts as [string, string];
}

/** A table in Markdown; a bar within a cell would end it. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(heading), line(heading.map(() => '---')), ...rows.map(line)].join('\n');
}

export const code = (text: string): string => (text === '' ? '' : `\`${text}\``);
