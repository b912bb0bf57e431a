// The text of a file of settings: YAML, or JSON, which is YAML too, of the shape that a schema says. Every mistake in it is
// found in one reading, each with its place. What reads YAML and what reads schemas is large, so this is loaded only where
// there is a file.

import { isUtf8 } from 'node:buffer';
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
import { clipped, shownMax } from '../doors/clipped.ts';
import { distinctIssues } from '../doors/distinct-issues.ts';

/** Where in the file: names of fields and numbers in lists, from the outside in. */
export type Place = readonly PropertyKey[];

export type Tell = (place: Place, mistake: string) => void;

/** What a file may say. */
export interface YamlForm<Written> {
  readonly schema: z.ZodType<Written>;
  /** Levels of lists and mappings. */
  readonly depthMax: number;
  /** Tells what is wrong with something that has the shape. */
  readonly check: (written: Written, tell: Tell) => void;
  /** The same of those parts that have the shape, where the whole has not. */
  readonly checkParts: (value: unknown, tell: Tell) => void;
  /** Of YAML: 1.2 without it. */
  readonly version?: '1.1';
  /** Fields that hold text: what stands there unquoted is taken as it is written, as 1.10 or yes. */
  readonly textFields?: readonly string[];
}

/** Lists, mappings, texts and numbers: more than a file of any size allowed has without aliases. */
const valuesMax = 500_000;

/** Mistakes that are told one by one. */
const mistakesMax = 100;

/** The text of a regular file of at most `bytesMax` bytes, in UTF-8. Throws an error that says why there is none. */
export function textIn(path: string, bytesMax: number): string {
  const stats = statSync(path); // a pipe could be read once only, and perhaps never to its end
  if (!stats.isFile()) throw new Error('it is no regular file');
  if (stats.size > bytesMax) throw new Error(`it has ${stats.size} bytes; allowed: ${bytesMax}`);
  const bytes = readFileSync(path);
  if (!isUtf8(bytes)) throw new Error('it is no UTF-8'); // replaced, a name in it would be another one, in silence
  return bytes.toString();
}

/**
 * What the text says; undefined when there are mistakes, which are added to `mistakes`, a line each. `name` is how they call
 * the file.
 */
export function readYaml<Written>(
  text: string,
  form: YamlForm<Written>,
  mistakes: string[],
  name: string,
): Written | undefined {
  const lines = new LineCounter();
  let found = 0;
  const tellAt: TellAt = (offset, mistake) => {
    found++;
    if (found <= mistakesMax) mistakes.push(`${name}:${lines.linePos(offset()).line} ${mistake}`);
  };
  const written = writtenIn(text, form, lines, tellAt);
  if (found > mistakesMax) mistakes.push(`${name} has ${found - mistakesMax} more mistakes`);
  return found > 0 ? undefined : written;
}

/** `offset` is asked only of a mistake that there is room for: in a long file it takes a while. */
type TellAt = (offset: () => number, mistake: string) => void;

function writtenIn<Written>(
  text: string,
  form: YamlForm<Written>,
  lines: LineCounter,
  tellAt: TellAt,
): Written | undefined {
  const { schema, depthMax, check, checkParts, version, textFields = [] } = form;
  const tooDeep = `it is nested too deep, or something in it holds itself; allowed: ${depthMax} levels`;
  let contents: ParsedNode | null;
  let value: unknown;
  try {
    // Its own check of unique keys compares each key with all before it.
    const document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      logLevel: 'error',
      uniqueKeys: false,
      ...(version ? { version } : {}),
    });
    for (const error of document.errors) tellAt(() => error.pos[0], textOf(error, tooDeep));
    if (document.errors.length > 0) return undefined;
    tellOfTags(document, tellAt);
    tellOfKeysTwice(document, tellAt);
    keepTexts(document, textFields);
    contents = document.contents;
    value = document.toJS({ maxAliasCount: -1 }); // what they amount to is counted below
  } catch (error) {
    tellAt(() => 0, error instanceof RangeError ? tooDeep : (error as Error).message); // a full stack
    return undefined;
  }
  const size = sizeOf(value, depthMax);
  if (!(size <= valuesMax)) {
    tellAt(() => 0, Number.isNaN(size) ? tooDeep : `it has more than ${valuesMax} values, its aliases written out`);
    return undefined;
  }
  const tell = (place: Place, mistake: string) =>
    tellAt(() => offsetOf(contents, place), `${placeOf(place)} ${mistake}`);
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    for (const issue of distinctIssues(parsed.error.issues)) tellIssue(issue, value, tell);
    checkParts(value, tell);
    return undefined;
  }
  check(parsed.data, tell);
  return parsed.data;
}

function textOf({ code, message }: YAMLParseError, tooDeep: string): string {
  if (code === 'MULTIPLE_DOCS') return 'begins a second YAML document; allowed: one';
  return message.includes('call stack') ? tooDeep : message;
}

/**
 * How many values it is, each as often as an alias repeats it; NaN when it is deeper than so many levels, as what holds
 * itself is. Looks once at what is repeated.
 */
function sizeOf(value: unknown, levels: number): number {
  const known = new Map<object, { readonly size: number; readonly height: number }>();
  const measured = (it: unknown, left: number): { readonly size: number; readonly height: number } => {
    if (typeof it !== 'object' || it === null) return { size: 1, height: 0 };
    const before = known.get(it);
    if (left === 0 || (before && before.height > left)) return { size: Number.NaN, height: 0 };
    if (before) return before;
    let [size, height] = [1, 1];
    for (const part of Object.values(it)) {
      const its = measured(part, left - 1);
      if (Number.isNaN(its.size)) return its;
      size += its.size;
      height = Math.max(height, its.height + 1);
    }
    const all = { size, height };
    known.set(it, all);
    return all;
  };
  return measured(value, levels).size;
}

function keepTexts(document: Document.Parsed, textFields: readonly string[]): void {
  if (textFields.length === 0) return;
  visit(document, {
    Pair(_, { key, value }) {
      if (!isScalar(key) || !isScalar(value) || value.value === null) return;
      if (textFields.includes(String(key.value)) && value.source !== undefined) value.value = value.source;
    },
  });
}

/** A tag that is not known would be dropped: `!env KEY` were the text KEY. */
function tellOfTags({ warnings }: Document.Parsed, tellAt: TellAt): void {
  for (const { code, message, pos } of warnings) {
    const tag = /^Unresolved tag: (.*)$/.exec(message)?.[1];
    const mistake =
      tag === undefined ? message : `${clipped(tag)} is no tag; allowed: those of YAML, as !!str, or none`;
    if (code === 'TAG_RESOLVE_FAILED') tellAt(() => pos[0], mistake);
  }
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
  if (typeof value === 'number') return String(value);
  const text = JSON.stringify(value, (_, it) => (typeof it === 'number' && !Number.isFinite(it) ? String(it) : it));
  return Array.isArray(value) && text.length > shownMax ? `a list of ${value.length}` : clipped(text);
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
