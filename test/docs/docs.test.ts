// The generated parts of the documents are what the code says now, and the check that says so can fail.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { faultKinds } from '../../chaos/faults/index.ts';
import { effects } from '../../chaos/scenario.ts';
import { documents, projectDirectory } from './documents.ts';
import { markdownPages } from './links.ts';
import { filled, table } from './markers.ts';
import { faultList, reasonList } from './tables.ts';

const textOf = (path: string) => readFileSync(join(projectDirectory, path), 'utf8');

describe('the documents', () => {
  it('hold the tables and examples that npm run docs makes', async () => {
    for (const [path, text] of await documents()) expect(textOf(path), `${path} is stale: npm run docs`).toBe(text);
  });

  it('have a README that is read in a minute: 150 lines at most', () => {
    expect(textOf('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(150);
  });

  it('show YAML that can be read', () => {
    const examples = markdownPages.flatMap((path) =>
      [...textOf(path).matchAll(/```yaml\n(.*?)```/gs)].map(([, text = '']) => [path, text] as const),
    );
    expect(examples.length).toBeGreaterThan(1);
    for (const [path, text] of examples) {
      const errors = parseAllDocuments(text).flatMap((document) => document.errors);
      expect(errors, path).toEqual([]);
    }
  });
});

describe('a generated block', () => {
  it('takes the place of what is between its markers, and of nothing else', () => {
    const page = 'a\n<!-- b -->\nold\n\n<!-- /b -->\nc\n';
    expect(filled(page, { b: 'new' })).toBe('a\n<!-- b -->\nnew\n<!-- /b -->\nc\n');
    expect(filled(filled(page, { b: 'new' }), { b: 'new' })).toBe('a\n<!-- b -->\nnew\n<!-- /b -->\nc\n');
  });

  it('is missed where a page has no place for it, or two', () => {
    expect(() => filled('a\n', { b: 'new' })).toThrow('the page has the line <!-- b --> 0 times, not once');
    const twice = '<!-- b -->\n<!-- /b -->\n'.repeat(2);
    expect(() => filled(twice, { b: 'new' })).toThrow('the page has the line <!-- b --> 2 times, not once');
  });

  it('of a table escapes a bar within a cell', () => {
    expect(table(['one', 'two'], [['a|b', 'c']])).toBe('| one | two |\n| --- | --- |\n| a\\|b | c |');
  });

  it('of faults names every kind, and each effect that there is', () => {
    const rows = faultList().split('\n').slice(2);
    const cells = rows.map((row) => row.split('|').map((cell) => cell.trim()));
    const kinds = cells.map(([, fault = '']) => fault.split(' ')[0]);
    expect([...new Set(kinds)]).toEqual(faultKinds.map(({ kind }) => `\`${kind}\``));
    expect(new Set(cells.map(([, , , effect]) => effect))).toEqual(new Set(effects));
  });

  it('of reasons wants a comment for each of them', () => {
    expect(() => reasonList("  'timeout', // no reply\n  'late',\n")).toThrow('the reason late has no comment');
  });
});
