// What the service's image gets: `npm ci --omit=dev` leaves out whatever package.json calls a development dependency.

import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectDirectory } from './support/lab-processes.ts';

const { name, dependencies, devDependencies, peerDependencies } = JSON.parse(
  readFileSync(join(projectDirectory, 'package.json'), 'utf8'),
);

/** Names of the packages that the files of a folder import. */
function packagesOf(folder: string, pattern: RegExp): string[] {
  const texts = readdirSync(join(projectDirectory, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(projectDirectory, folder, file), 'utf8'));
  const specifiers = texts.flatMap((text) => [...text.matchAll(pattern)].map(([, specifier = '']) => specifier));
  const names = specifiers.flatMap((specifier) => /^(?:@[^/]+\/)?[^/.][^/]*/.exec(specifier)?.[0] ?? []);
  return [...new Set(names)].filter((name) => !name.startsWith('node:') && !builtinModules.includes(name)).sort();
}

const values = /^(?:import|export) (?!type )[^;]*?from '([^']+)'|^import '([^']+)'|import\('([^']+)'\)/gm;

it('of production are exactly what the service imports', () => {
  const imported = packagesOf('service', values).filter((name) => !(name in peerDependencies)); // those are the application's
  expect(Object.keys(dependencies).sort()).toEqual(imported);
});

it('of the lab are there with plain `npm ci`, and none of them is left undeclared', () => {
  const declared = { ...dependencies, ...devDependencies, [name]: 'this one' };
  const used = ['chaos', 'scenarios', 'grafana', 'prometheus'].flatMap((folder) => packagesOf(folder, values));
  expect(used).toContain('uplot');
  expect([...new Set(used)].filter((name) => !(name in declared))).toEqual([]);
});

it('are named exactly, so that a machine gets what the tests saw', () => {
  const loose = Object.entries<string>({ ...dependencies, ...devDependencies }).filter(
    ([, version]) => !/^(npm:express@)?\d+\.\d+\.\d+$/.test(version),
  );
  expect(loose).toEqual([]);
});
