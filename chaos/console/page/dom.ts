// A few words for the document.

/** The element of that id, of that kind; throws when the page has none. */
export function find<T extends HTMLElement>(id: string, kind: new () => T): T {
  const element = document.getElementById(id);
  if (element instanceof kind) return element;
  throw new Error(`the page has no ${kind.name} #${id}`);
}

/** An element with text or elements in it. Text stays text. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Readonly<Record<string, string>> = {},
  ...content: readonly (string | Node)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) element.setAttribute(name, value);
  element.append(...content);
  return element;
}

/** Asks the server for a change; the error it answers with, if it does. */
export async function post(path: string, body: unknown): Promise<string | undefined> {
  try {
    const headers = { 'Content-Type': 'application/json' };
    const response = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
    if (response.ok) return undefined;
    const { error } = await response.json();
    return String(error);
  } catch {
    return 'The console does not answer.';
  }
}
