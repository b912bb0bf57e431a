// `npm run setup`: finds the programs that the lab needs, and installs what is missing by the route this machine has.
//
//   redis-server, prometheus   apt-get (Debian or Ubuntu, as root), brew
//   toxiproxy-server           brew, or go install into .lab/bin (as root, with a Go from apt-get if there is none)
//   chromium, for the tests    apt-get (Debian, as root), or Playwright's own, linked into .lab/bin
//
// Prints what it does. Repeating it changes nothing. When it cannot help, one line says what to type.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import '../command.ts';
import { commandLine } from '../command-line.ts';
import { endWith, LabError } from '../errors.ts';
import { type Binary, binaries, browser, find } from '../host/binaries.ts';
import { byHand, print, routes } from './routes.ts';

async function setup(): Promise<void> {
  const missing = await missingOf([...binaries, browser]);
  for (const route of routes) {
    const served = missing.filter(({ name }) => route.serves.includes(name)).map(({ name }) => name);
    if (served.length === 0 || !(await route.available())) continue;
    await route.install(served);
    const still = await missingOf(missing);
    missing.splice(0, missing.length, ...still);
  }
  const first = missing[0];
  if (first) {
    const names = missing.map(({ name }) => name).join(', ');
    throw new LabError(`Cannot install ${names} on this machine. Type: ${byHand[first.name]}`);
  }
  print('ready: npm run scenario partition');
}

/** The ones not found; says where the others are. */
async function missingOf(wanted: readonly Binary[]): Promise<Binary[]> {
  const missing: Binary[] = [];
  for (const binary of wanted) {
    const found = await find(binary);
    if (!found) missing.push(binary);
    else print(`${binary.name} ${found.version}: ${found.path}`);
  }
  return missing;
}

try {
  commandLine({}, 'npm run setup: installs what is missing of the programs that the lab needs');
  if (!existsSync(join(import.meta.dirname, '..', '..', 'node_modules', 'node')))
    throw new LabError('Dependencies are missing. Type: npm ci');
  await setup();
} catch (error) {
  endWith(error instanceof LabError ? new LabError(`setup: ${error.message}`) : error);
}
