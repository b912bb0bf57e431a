// A scenario as a file of `scenarios/`, in the project's format: what a shrunk storm leaves to be committed.

import type { Scenario } from '../chaos/scenario.ts';

/** As the formatter has it. */
const lineLength = 120;

/** `scenario.name` also names the constant, in camel case. The load is the usual one, from `defaults.ts`. */
export function scenarioText({
  name,
  family,
  hypothesis,
  faults = [],
  timing,
}: Omit<Scenario, 'keys' | 'service'>): string {
  const constant = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  const said = `hypothesis: ${quoted(hypothesis)},`;
  return `import type { Scenario } from '../chaos/scenario.ts';
import { keys, service } from './defaults.ts';

export const ${constant}: Scenario = {
  name: ${quoted(name)},
  family: ${quoted(family)},
  ${said.length + 2 > lineLength ? said.replace(' ', '\n    ') : said}
  faults: ${value(faults, 'faults: ,', 1)},
  timing: ${value(timing, 'timing: ,', 1)},
  keys,
  service,
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

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
