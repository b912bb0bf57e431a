import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectDirectory } from './support/lab-processes.ts';

const linesMax = 350;
const folders = ['service', 'chaos', 'scenarios'] as const;

const filesIn = (folder: string): string[] =>
  readdirSync(join(projectDirectory, folder), { recursive: true, encoding: 'utf8' })
    .map((file) => join(folder, file))
    .filter((file) => /\.(ts|tsx|lua)$/.test(file));

const textOf = (file: string) => readFileSync(join(projectDirectory, file), 'utf8');

/** The project's own files that a file imports, static or not, as paths from the project's directory. */
function importsOf(file: string): string[] {
  const specifiers = textOf(file).matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'(\.[^']+)'/g);
  return [...specifiers].map(([, specifier]) => relative('.', join(dirname(file), specifier as string)));
}

const files = folders.flatMap(filesIn);
const graph = new Map(files.map((file) => [file, importsOf(file)]));

/** The first import cycle found, as the files on it; empty when there is none. */
function cycleIn(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const next of imports.get(file) ?? []) {
      const cycle = visit(next, [...path, file]);
      if (cycle.length > 0) return cycle;
    }
    done.add(file);
    return [];
  };
  for (const file of imports.keys()) {
    const cycle = visit(file, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}

describe('the source', () => {
  it('is found by this test, and its imports with it', () => {
    expect(files.length).toBeGreaterThan(50);
    expect(graph.get('chaos/checks/trip.ts')).toEqual([
      'chaos/history.ts',
      'chaos/scenario.ts',
      'chaos/checks/check.ts',
      'chaos/checks/fault-bit.ts',
      'chaos/checks/outage.ts',
    ]);
  });

  it('of the lab imports nothing from the service, so that a check shares no defect with what it judges', () => {
    const offenders = [...graph]
      .filter(([file]) => !file.startsWith('service/'))
      .filter(([, imports]) => imports.some((path) => path.startsWith('service/')));
    expect(offenders).toEqual([]);
  });

  it('of the service imports nothing from the lab', () => {
    const offenders = [...graph]
      .filter(([file]) => file.startsWith('service/'))
      .filter(([, imports]) => imports.some((path) => !path.startsWith('service/')));
    expect(offenders).toEqual([]);
  });

  it('has no import cycles', () => {
    expect(cycleIn(graph)).toEqual([]);
  });

  it('would be caught in a cycle', () => {
    const imports = new Map([
      ['a', ['b']],
      ['b', ['c', 'd']],
      ['c', []],
      ['d', ['b']],
    ]);
    expect(cycleIn(imports)).toEqual(['b', 'd', 'b']);
  });

  it(`keeps every file to ${linesMax} lines`, () => {
    const long = files.map((file) => [file, textOf(file).trimEnd().split('\n').length] as const);
    expect(long.filter(([, lines]) => lines > linesMax)).toEqual([]);
  });
});
