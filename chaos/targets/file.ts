// A limiter that a YAML or JSON file describes. What the file does not say is as with the short way; see `plain`.

import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Document, LineCounter, parseDocument, visit } from 'yaml';
import { UsageError } from '../errors.ts';
import { mistakesOf } from '../shape.ts';
import { type TargetFile, targetFile } from './file-shape.ts';
import { mechanismOf } from './mechanisms.ts';
import { plain, type Start, type Target, withoutFallback } from './target.ts';
import { wordsOf } from './words.ts';

/** On which an image listens that does not say. */
const imagePort = 8080;

/** Where the words of the parser are for who calls it. */
const errorWords: Partial<Record<string, string>> = {
  MULTIPLE_DOCS: 'a second document begins; allowed: one',
};

/** Whether `--target` names a file. */
export function isFile(target: string): boolean {
  return target.includes('/') || /\.(ya?ml|json)$/.test(target);
}

/**
 * `file`: as it was typed, from `directory`. `taken`: names that it must not have. Throws a `UsageError` with a line for
 * each mistake, which names its place, what stands there and what is allowed.
 */
export function targetFrom(file: string, directory: string, taken: readonly string[]): Target {
  const path = resolve(directory, file);
  const content = contentOf(file, path);
  const { data, error } = targetFile.safeParse(content);
  if (error) throw mistakesIn(file, mistakesOf(error, content));
  const { name, start, topologies = plain.topologies, take, answer, ready, breaker } = data;
  const bounds = boundsOf(data);
  const promises = (['source', 'remaining'] as const).filter((it) => answer?.[it] !== undefined);
  if (taken.includes(name)) throw mistakesIn(file, [`name is "${name}", which is another target's`]);
  const { allowed, denied } = { ...plain.answer, ...answer };
  if (isAmong(denied, allowed)) {
    const [one, other] = [denied, allowed].map((condition) => JSON.stringify(condition));
    throw mistakesIn(file, [`answer.denied is ${one}, but whatever fits answer.allowed, ${other}, is allowed`]);
  }
  const { shared, local } = { ...mechanismOf, ...(answer?.source && sourceOf(answer.source).words) };
  if (shared === local)
    throw mistakesIn(file, [
      `answer.source has ${JSON.stringify(local)} for redis and for fallback; allowed: two words`,
    ]);
  return {
    ...plain,
    name,
    start: startOf(file, start, dirname(path)),
    env: environmentOf(start),
    topologies,
    take: { ...plain.take, ...take },
    answer: answerOf(answer),
    ...(promises.length > 0 && { promises }),
    ...(ready && { ready: [readinessOf(ready)], idlePath: ready.path }),
    ...(breaker && { breaker }),
    ...(bounds && { bounds }),
  };
}

function contentOf(file: string, path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`--target is "${file}", which cannot be read: ${(error as Error).message}`);
  }
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const errors = [
    ...document.errors.map(({ code, pos: [at], message }) => ({ at, message: errorWords[code] ?? message })),
    ...holdingThemselves(document),
  ];
  if (errors.length > 0) {
    throw mistakesIn(
      file,
      errors.map(({ at, message }) => `line ${lineCounter.linePos(at).line}: ${message}`),
    );
  }
  try {
    return document.toJS();
  } catch (error) {
    throw mistakesIn(file, [(error as Error).message]); // of aliases without end
  }
}

/** Each alias that stands in what it names: a value without an end. */
function holdingThemselves(document: Document): { at: number; message: string }[] {
  const found: { at: number; message: string }[] = [];
  visit(document, {
    Alias(_key, alias, above) {
      const { source, range } = alias;
      const its = alias.resolve(document);
      if (its && range && above.includes(its))
        found.push({ at: range[0], message: `*${source} stands in &${source}, and so in itself` });
    },
  });
  return found;
}

function mistakesIn(file: string, mistakes: readonly string[]): UsageError {
  return new UsageError(mistakes.map((mistake) => `${file}: ${mistake}`).join('\n'));
}

function startOf(file: string, start: TargetFile['start'], here: string): Start {
  if ('url' in start) return { url: new URL(start.url).origin };
  if ('image' in start) return { image: start.image, port: start.port ?? imagePort };
  const directory = resolve(here, start.cwd ?? '.');
  if (!isDirectory(directory))
    throw mistakesIn(file, [`start.cwd is "${start.cwd}"; allowed: a directory that exists`]);
  return { command: wordsOf(start.command), directory };
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function environmentOf(start: TargetFile['start']): Target['env'] {
  const { env = {} } = 'url' in start ? {} : start;
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, String(value)]));
}

/** What already runs is judged while nothing is broken, so nothing but its store decides. */
function boundsOf({ start, bounds }: TargetFile): Target['bounds'] {
  return 'url' in start ? { ...withoutFallback, ...bounds } : bounds;
}

function answerOf({ remaining, source, ...given }: NonNullable<TargetFile['answer']> = {}): Target['answer'] {
  return {
    ...{ ...plain.answer, ...given },
    ...(remaining && { remaining: [remaining] }),
    ...(source && { source: sourceOf(source) }),
  };
}

type Condition = Target['answer']['allowed'];

/** Whether each answer that fits the one fits the other as well, which is looked at first. */
function isAmong(one: Condition, other: Condition): boolean {
  if (other.pointer !== undefined) return isDeepStrictEqual(one, other);
  const [narrow, wide] = [String(one.status), String(other.status)];
  return narrow === wide || (wide.endsWith('xx') && narrow[0] === wide[0]);
}

type SourcePlace = NonNullable<NonNullable<TargetFile['answer']>['source']>;

function sourceOf({ redis, fallback, ...place }: SourcePlace): NonNullable<Target['answer']['source']> {
  return { ...place, words: { shared: redis ?? mechanismOf.shared, local: fallback ?? mechanismOf.local } };
}

function readinessOf({ status, ...ready }: NonNullable<TargetFile['ready']>): Target['ready'][number] {
  return { ...ready, status: status ?? '2xx' };
}
