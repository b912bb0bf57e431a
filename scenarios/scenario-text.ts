// A storm as a file of `scenarios/`, in the project's format: what a shrunk one leaves to be committed, or to be run again.

import type { Scenario } from '../chaos/scenario.ts';
import type { FoundWith } from './storm-file.ts';

/** As the formatter has it. */
const lineLength = 120;

/** `scenario.name` also names the constant, in camel case. `about`: the file's first comment, on one line. */
export function scenarioText(
  { name, family, hypothesis, faults = [], timing, keys, service }: Scenario,
  found: FoundWith,
  about: string,
): string {
  const constant = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  const said = `hypothesis: ${quoted(hypothesis)},`;
  const known = Object.fromEntries(Object.entries(found).filter(([, each]) => each !== undefined));
  return `// ${about}

import type { Scenario } from '../chaos/scenario.ts';

export const found = ${value(known, 'export const found = ;', 0)};

export const ${constant}: Scenario = {
  name: ${quoted(name)},
  family: ${quoted(family)},
  ${said.length + 2 > lineLength ? said.replace(' ', '\n    ') : said}
  faults: ${value(faults, 'faults: ,', 1)},
  timing: ${value(timing, 'timing: ,', 1)},
  keys: ${value(keys, 'keys: ,', 1)},
  service: ${value(service, 'service: ,', 1)},
};
`;
}

/** In one line where it fits into one, with what stands before and after it. */
function value(it: unknown, around: string, depth: number): string {
  const short = inline(it);
  if (2 * depth + around.length + short.length <= lineLength || typeof it !== 'object' || it === null) return short;
  const indent = '  '.repeat(depth + 1);
  const lines = Array.isArray(it)
    ? it.map((each) => value(each, ',', depth + 1))
    : Object.entries(it).map(([key, each]) => `${key}: ${value(each, `${key}: ,`, depth + 1)}`);
  const [open, close] = Array.isArray(it) ? '[]' : '{}';
  return `${open}\n${lines.map((line) => `${indent}${line},\n`).join('')}${'  '.repeat(depth)}${close}`;
}

function inline(it: unknown): string {
  if (Array.isArray(it)) return `[${it.map(inline).join(', ')}]`;
  if (typeof it === 'object' && it !== null)
    return `{ ${Object.entries(it)
      .map(([key, each]) => `${key}: ${inline(each)}`)
      .join(', ')} }`;
  return typeof it === 'string' ? quoted(it) : String(it);
}

/** In the quotes of which fewer must be escaped, as the formatter has it. */
function quoted(text: string): string {
  const double = JSON.stringify(text);
  if (text.split("'").length > text.split('"').length) return double;
  return `'${double.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}
