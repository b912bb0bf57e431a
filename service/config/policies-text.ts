// The text of a policies file: YAML, or JSON, which is YAML too. Every mistake in it is found in one reading, each with its
// place. What reads YAML and what reads schemas is large, so this is loaded only where there is a file.

import { readFileSync, statSync } from 'node:fs';
import {
  type Document,
  isMap,
  isScalar,
  LineCounter,
  type ParsedNode,
  parseDocument,
  visit,
  type YAMLParseError,
} from 'yaml';
import type { z } from 'zod';
import type { PoliciesOptions } from './policies.ts';
import { type Place, tellMistakes } from './policies-mistakes.ts';
import { policiesFile, type WrittenPolicy } from './policies-shape.ts';

/** Half a kilobyte for each of a thousand policies. To read so much takes seconds at worst. */
const bytesMax = 500_000;
/** Mistakes that are told one by one. */
const mistakesMax = 100;
/** Levels of lists and mappings; policies have fewer. */
const depthMax = 20;
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
  let found = 0;
  const tellAt: TellAt = (offset, mistake) => {
    found++;
    if (found <= mistakesMax) mistakes.push(`${name}:${lines.linePos(offset()).line} ${mistake}`);
  };
  const written = writtenIn(text, options, lines, tellAt);
  if (found > mistakesMax) mistakes.push(`${name} has ${found - mistakesMax} more mistakes`);
  return found > 0 ? undefined : written;
}

/** `offset` is asked only of a mistake that there is room for: in a long file it takes a while. */
type TellAt = (offset: () => number, mistake: string) => void;

function writtenIn(
  text: string,
  options: PoliciesOptions,
  lines: LineCounter,
  tellAt: TellAt,
): readonly WrittenPolicy[] | undefined {
  let contents: ParsedNode | null;
  let value: unknown;
  try {
    // Its own check of unique keys compares each key with all before it.
    const document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      logLevel: 'error',
      uniqueKeys: false,
    });
    for (const error of document.errors) tellAt(() => error.pos[0], textOf(error));
    if (document.errors.length > 0) return undefined;
    tellOfKeysTwice(document, tellAt);
    contents = document.contents;
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    tellAt(() => 0, error instanceof RangeError ? tooDeep : (error as Error).message); // a full stack
    return undefined;
  }
  if (isDeeper(value, depthMax)) {
    tellAt(() => 0, tooDeep);
    return undefined;
  }
  const tell = (place: Place, mistake: string) =>
    tellAt(() => offsetOf(contents, place), `${placeOf(place)} ${mistake}`);
  const parsed = policiesFile.safeParse(value);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) tellIssue(issue, value, tell);
    return undefined;
  }
  const { policies } = parsed.data;
  tellMistakes(policies, options, tell);
  return policies;
}

function textOf({ code, message }: YAMLParseError): string {
  if (code === 'MULTIPLE_DOCS') return 'begins a second YAML document; allowed: one';
  return message.includes('call stack') ? tooDeep : message;
}

const tooDeep = `it is nested too deep, or something in it holds itself; allowed: ${depthMax} levels`;

/** Finds what holds itself, too. */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((it) => isDeeper(it, levels - 1));
}

function tellOfKeysTwice(document: Document.Parsed, tellAt: TellAt): void {
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        const text = String(key.value); // as it is once read: 1 and "1" are one
        if (seen.has(text))
          tellAt(() => key.range?.[0] ?? 0, `${clipped(text)} is there twice; allowed: once in a mapping`);
        seen.add(text);
      }
    },
  });
}

function tellIssue(issue: z.core.$ZodIssue, value: unknown, tell: (place: Place, mistake: string) => void): void {
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) tell([...issue.path, key], `is no field; allowed: ${issue.message}`);
    return;
  }
  const found = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], value);
  const shown = found === undefined ? 'missing' : shownOf(found);
  tell(issue.path, `is ${shown}; allowed: ${issue.message}`);
}

function shownOf(value: unknown): string {
  const text = JSON.stringify(value);
  return Array.isArray(value) && text.length > shownMax ? `a list of ${value.length}` : clipped(text);
}

function clipped(text: string): string {
  return text.length > shownMax ? `${text.slice(0, shownMax)}…` : text;
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
