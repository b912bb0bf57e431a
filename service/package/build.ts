// What `npm pack` does before it packs: the service as JavaScript in dist/, with what its source reads beside itself, the
// declarations that an application sees, and the page that npmjs.com shows. What an application imports reads no file, since
// a bundler leaves none beside it.

import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { putPage } from './npm-page.ts';

const root = join(import.meta.dirname, '../..');
const service = join(root, 'service');
const dist = join(root, 'dist');
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  exports: Record<string, string | { types: string }>;
};

const filesIn = (directory: string, ending: RegExp) =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((file) => ending.test(file));

rmSync(dist, { recursive: true, force: true });
const tsc = join(root, 'node_modules/typescript/bin/tsc');
execFileSync(process.execPath, [tsc, '-p', join(import.meta.dirname, 'tsconfig.json')], { stdio: 'inherit' });
for (const file of filesIn(service, /(\.proto|proto\/LICENSE)$/)) cpSync(join(service, file), join(dist, file));
putScripts();

/** The texts of the Lua scripts, in the place where they would be read. */
function putScripts(): void {
  const folder = join(service, 'redis');
  const texts = filesIn(folder, /\.lua$/).map((file) => [`./${file}`, readFileSync(join(folder, file), 'utf8')]);
  const compiled = join(dist, 'redis/script.js');
  const reading = "readFileSync(new URL(file, import.meta.url), 'utf8')";
  const [before, after, ...more] = readFileSync(compiled, 'utf8').split(reading);
  if (after === undefined || more.length > 0) throw new Error(`${compiled} does not read scripts by ${reading}`);
  writeFileSync(compiled, `${before}${JSON.stringify(Object.fromEntries(texts))}[file]${after}`);
}

/** The compiler leaves them as they are in declarations. */
const ofJs = (text: string) => text.replace(/(\bfrom |\bimport\()'(\.[^']+)\.ts'/g, "$1'$2.js'");
const seen = new Set<string>();

/** A declaration, and those that it imports. */
function see(file: string): void {
  if (seen.has(file)) return;
  seen.add(file);
  const text = ofJs(readFileSync(file, 'utf8'));
  writeFileSync(file, text);
  for (const [, imported = ''] of text.matchAll(/(?:\bfrom |\bimport\()'(\.[^']+)\.js'/g))
    see(join(dirname(file), `${imported}.d.ts`));
}

for (const entry of Object.values(exports)) if (typeof entry === 'object') see(join(root, entry.types));
for (const file of filesIn(dist, /\.d\.ts$/)) if (!seen.has(join(dist, file))) rmSync(join(dist, file));

putPage(root);
