// Docker, where this machine has it: an engine that answers, and all images that the tests start. One that answers but
// can't get its images is no engine to test with, and what needs it is left out by name.

import { execFileSync, spawnSync } from 'node:child_process';
import { imageDefaults, imageOf } from '../../chaos/drivers/images.ts';
import { projectDirectory } from './lab-processes.ts';
import { until } from './until.ts';

const pullMsMax = 5 * 60_000;

const succeeds = (args: readonly string[], timeout = 20_000) =>
  spawnSync('docker', args, { stdio: 'ignore', timeout }).status === 0;

function isThere(name: string): boolean {
  return succeeds(['image', 'inspect', name]) || succeeds(['pull', '--quiet', name], pullMsMax);
}

export const hasDocker: boolean =
  succeeds(['info']) &&
  Object.keys(imageDefaults).every((variable) => isThere(imageOf(variable as keyof typeof imageDefaults)));

/** What the command prints. Throws when it fails. */
export function docker(...args: string[]): string {
  return execFileSync('docker', args, { cwd: projectDirectory, encoding: 'utf8' }).trim();
}

/**
 * Every container and network there is, but those of Compose stacks, which have tests of their own. Among them may be those
 * in which an image is being built, which go by themselves.
 */
export function inventory(): string[] {
  const ofCompose = '{{if .Label "com.docker.compose.project"}}{{else}}{{.Names}}{{end}}';
  const containers = docker('ps', '--all', '--format', ofCompose).split('\n');
  const networks = docker(
    'network',
    'ls',
    '--format',
    '{{if .Label "com.docker.compose.project"}}{{else}}{{.Name}}{{end}}',
  );
  return [...containers, ...networks.split('\n')].filter((name) => name !== '').sort();
}

/** Resolves when nothing is left that was not there before; rejects, and says what, when something stays. */
export async function asBefore(before: readonly string[]): Promise<void> {
  const left = () => inventory().filter((name) => !before.includes(name));
  let names = left();
  await until('the containers and networks that were there before, alone', () => {
    names = left();
    return names.length === 0;
  }).catch((error: Error) => {
    throw new Error(`${error.message}; left: ${names.join(', ')}`);
  });
}
