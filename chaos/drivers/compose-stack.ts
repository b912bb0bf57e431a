// The Compose stack of this project as it stands: which services run, and how they are.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const projectDirectory = join(import.meta.dirname, '..', '..');
const askMsMax = 15_000;
export const upCommand = 'docker compose up --build --wait';

/** What an experiment needs of the stack. */
export const services = ['redis', 'toxiproxy', 'limiter-1', 'limiter-2', 'prometheus'] as const;
export type Service = (typeof services)[number];

/** Container ids by service, or what is wrong in words. */
export type Stack =
  | { readonly state: 'healthy'; readonly ids: Readonly<Record<Service, string>> }
  | { readonly state: 'unusable'; readonly why: string };

interface Row {
  readonly ID: string;
  readonly Service: string;
  readonly State: string;
  readonly Health: string;
}

/** Asks Compose, which knows about override files, COMPOSE_FILE and the like. */
export async function findStack(): Promise<Stack> {
  const args = ['compose', 'ps', '--all', '--no-trunc', '--format', 'json'];
  try {
    const { stdout } = await promisify(execFile)('docker', args, { cwd: projectDirectory, timeout: askMsMax });
    return stackOf(stdout);
  } catch (error) {
    const { code, stderr = '', message } = error as NodeJS.ErrnoException & { stderr?: string };
    if (code === 'ENOENT')
      return unusable('Docker is not installed; the native driver needs none. Type: npm run setup');
    const said = stderr.trim().split('\n').at(-1) || message;
    return unusable(`docker compose says "${said}". Type: docker info`);
  }
}

/** From one JSON object a line, as `docker compose ps` prints them. */
export function stackOf(text: string): Stack {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const rows = lines.map((line) => JSON.parse(line) as Row);
  if (rows.length === 0) return unusable(`this project's Compose stack is not up. Type: ${upCommand}`);
  const found = services.map((service) => ({ service, row: rows.find((row) => row.Service === service) }));
  const problems = found.flatMap(({ service, row }) => {
    if (!row) return [`${service} is missing`];
    if (row.State !== 'running') return [`${service} is ${row.State}`];
    return row.Health === '' || row.Health === 'healthy' ? [] : [`${service} is ${row.Health}`];
  });
  if (problems.length > 0)
    return unusable(`the Compose stack is not healthy: ${problems.join(', ')}. Type: ${upCommand}`);
  const ids = Object.fromEntries(found.map(({ service, row }) => [service, row?.ID ?? ''])) as Record<Service, string>;
  return { state: 'healthy', ids };
}

function unusable(why: string): Stack {
  return { state: 'unusable', why };
}
