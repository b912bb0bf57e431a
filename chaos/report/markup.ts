// HTML, SVG and XML from template literals in which whatever is inserted is escaped, unless it is markup itself.

import { printable } from '../printable.ts';

/** Text that is safe to stand in a document. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Content = string | number | Markup | null | undefined | false | readonly Content[];

/** What is null, undefined or false leaves nothing behind; lists are joined. */
export function markup(strings: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  return new Markup(strings.map((text, i) => text + (i < contents.length ? render(contents[i]) : '')).join(''));
}

function render(content: Content): string {
  if (content === null || content === undefined || content === false) return '';
  if (content instanceof Markup) return content.text;
  return typeof content === 'object' ? content.map(render).join('') : escaped(String(content));
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Characters that neither HTML nor XML allows, and those that no text of a line should have, become U+FFFD. */
export function escaped(text: string): string {
  return printable(text)
    .replace(/[&<>"']/g, (character) => entities[character] ?? '')
    .replace(/[\ufffe\uffff]/g, '\ufffd');
}

/** JSON that may stand inside a script element. */
export function embedded(value: unknown): Markup {
  return new Markup(JSON.stringify(value).replaceAll('<', '\\u003c'));
}
