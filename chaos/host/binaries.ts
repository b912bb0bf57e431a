// The programs that the native driver starts, and the browser of the tests: where each is found, and whether it is what
// its name says.

import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { LabError } from '../errors.ts';

export interface Binary {
  readonly name: 'redis-server' | 'toxiproxy-server' | 'prometheus' | 'chromium';
  /** Environment variable with a path that wins over all else. */
  readonly variable: string;
  /** Finds the version in what `--version` prints; no match means another program. */
  readonly version: RegExp;
}

export const binaries: readonly Binary[] = [
  { name: 'redis-server', variable: 'REDIS_SERVER_BIN', version: /Redis server v=(\S+)/ },
  { name: 'toxiproxy-server', variable: 'TOXIPROXY_SERVER_BIN', version: /toxiproxy-server version (\S+)/ },
  { name: 'prometheus', variable: 'PROMETHEUS_BIN', version: /prometheus, version (\S+)/ },
];

/** Only the tests of the report look at it in a browser; no scenario needs one. */
export const browser: Binary = {
  name: 'chromium',
  variable: 'CHROMIUM',
  version: /(?:Chromium|Google Chrome)\D* (\d\S*)/,
};

export interface Found {
  readonly path: string;
  readonly version: string;
}

/** The project's own place for programs, git-ignored. */
export const labBin: string = join(import.meta.dirname, '..', '..', '.lab', 'bin');

/** Environment variable, then PATH, then the project's own .lab/bin. Undefined when it is in none of them. */
export async function find(binary: Binary): Promise<Found | undefined> {
  const path = pathOf(binary);
  return path === undefined ? undefined : { path, version: await versionOf(binary, path) };
}

function pathOf({ name, variable }: Binary): string | undefined {
  const named = process.env[variable];
  if (named) {
    if (!isExecutable(named)) throw new LabError(`${variable} is ${named}, which is not a program that can be run`);
    return named;
  }
  const directories = [...(process.env.PATH ?? '').split(delimiter).filter((directory) => directory !== ''), labBin];
  return directories.map((directory) => join(directory, name)).find(isExecutable);
}

async function versionOf({ name, version }: Binary, path: string): Promise<string> {
  let output: string;
  try {
    const { stdout, stderr } = await promisify(execFile)(path, ['--version'], { timeout: 10_000 });
    output = `${stdout}${stderr}`;
  } catch (error) {
    throw new LabError(`${path} --version did not work: ${(error as Error).message.split('\n')[0]}`);
  }
  const match = version.exec(output);
  if (!match?.[1]) throw new LabError(`${path} is not ${name}: its --version says "${output.trim().split('\n')[0]}"`);
  return match[1];
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
