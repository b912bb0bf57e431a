// The text of a policies file: YAML, or JSON, which is YAML too. Every mistake in it is found in one reading, each with its
// place. What reads YAML and what reads schemas is large, so this is loaded only where there is a file.

import { readFileSync, statSync } from 'node:fs';
import { isMap, LineCounter, type ParsedNode, parseDocument } from 'yaml';
import type { z } from 'zod';
import type { PoliciesOptions } from './policies.ts';
import { type Place, tellMistakes } from './policies-mistakes.ts';
import { policiesFile, type WrittenPolicy } from './policies-shape.ts';

const bytesMax = 1_000_000;
const shownMax = 100;

/** The policies in the file at `path`; undefined when there are mistakes, which are added to `mistakes`, a line each. */
export function readPolicies(
  path: string,
  options: PoliciesOptions,
  mistakes: string[],
): readonly WrittenPolicy[] | undefined {
  const name = `POLICIES_FILE is ${JSON.stringify(path)}, which`;
  let text: string;
  try {
    const stats = statSync(path); // a pipe could be read once only, and perhaps never to its end
    if (!stats.isFile()) throw new Error('it is no regular file');
    if (stats.size > bytesMax) throw new Error(`it has ${stats.size} bytes; allowed: ${bytesMax}`);
    text = readFileSync(path, 'utf8');
  } catch (error) {
    mistakes.push(`${name} cannot be read: ${(error as Error).message}`);
    return undefined;
  }
  return policiesIn(text, options, mistakes, `POLICIES_FILE ${path}`);
}

/** The same of the file's text; `name` is how the mistakes call the file. */
export function policiesIn(
  text: string,
  options: PoliciesOptions,
  mistakes: string[],
  name: string,
): readonly WrittenPolicy[] | undefined {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  for (const { message, pos } of document.errors) mistakes.push(`${name}:${lines.linePos(pos[0]).line} ${message}`);
  if (document.errors.length > 0) return undefined;

  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    mistakes.push(`${name} ${(error as Error).message}`);
    return undefined;
  }
  let found = 0;
  const tell = (place: Place, mistake: string) => {
    found++;
    const { line } = lines.linePos(offsetOf(document.contents, place));
    mistakes.push(`${name}:${line} ${placeOf(place)} ${mistake}`);
  };
  const parsed = policiesFile.safeParse(value);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) tellIssue(issue, value, tell);
    return undefined;
  }
  const { policies } = parsed.data;
  tellMistakes(policies, options, tell);
  return found > 0 ? undefined : policies;
}

function tellIssue(issue: z.core.$ZodIssue, value: unknown, tell: (place: Place, mistake: string) => void): void {
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) tell([...issue.path, key], `is no field; allowed: ${issue.message}`);
    return;
  }
  const found = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], value);
  const shown = found === undefined ? 'missing' : JSON.stringify(found);
  tell(issue.path, `is ${shown.length > shownMax ? `${shown.slice(0, shownMax)}…` : shown}; allowed: ${issue.message}`);
}

/** `policies[0].limits[1]` */
function placeOf(place: Place): string {
  return (
    place.map((name, i) => (typeof name === 'number' ? `[${name}]` : `${i > 0 ? '.' : ''}${String(name)}`)).join('') ||
    'it'
  );
}

/** Where in the text it stands, or the nearest that holds it. */
function offsetOf(node: ParsedNode | null, place: Place): number {
  let at: unknown = node;
  let offset = node?.range?.[0] ?? 0;
  for (const name of place) {
    if (!isMap(at) && !(at as { items?: unknown })?.items) break;
    const pair = isMap(at) ? at.items.find(({ key }) => (key as { value?: unknown }).value === name) : undefined;
    const key = pair?.key as ParsedNode | undefined;
    at = (at as { get(name: unknown, keepScalar: boolean): unknown }).get(name, true);
    const range = key?.range ?? (at as ParsedNode | undefined)?.range;
    if (!range) break;
    offset = range[0];
  }
  return offset;
}
