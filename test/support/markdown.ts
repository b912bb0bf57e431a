// The sections of a Markdown page, with the anchors that GitHub gives to their headings.

export interface Section {
  readonly level: number;
  readonly title: string;
  /** What stands after `#` in a link to it. */
  readonly slug: string;
  /** Until the next heading of any level. */
  readonly text: string;
}

export function sectionsOf(page: string): Section[] {
  const sections: { level: number; title: string; slug: string; text: string }[] = [];
  const seen = new Map<string, number>();
  let isCode = false;
  for (const line of page.split('\n')) {
    if (line.startsWith('```')) isCode = !isCode;
    const [, marks = '', title = ''] = (!isCode && /^(#{1,6}) +(.*?)(?: +#+)?$/.exec(line)) || [];
    const current = sections.at(-1);
    if (marks) sections.push({ level: marks.length, title, slug: numbered(slugOf(title), seen), text: '' });
    else if (current) current.text += `${line}\n`;
  }
  return sections;
}

/** https://github.com/gjtorikian/html-pipeline: all but letters, digits, marks, connectors, hyphens and spaces is dropped. */
function slugOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}\p{Pc}\- ]/gu, '')
    .replaceAll(' ', '-');
}

function numbered(slug: string, seen: Map<string, number>): string {
  const before = seen.get(slug) ?? 0;
  seen.set(slug, before + 1);
  return before === 0 ? slug : `${slug}-${before}`;
}
