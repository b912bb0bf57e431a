// The Compose stack of this project as it stands: which services run, how they are, and of which image the limiters are.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { limiterNames } from '../scenario.ts';

const projectDirectory = join(import.meta.dirname, '..', '..');
const askMsMax = 15_000;
export const upCommand = 'docker compose up --build --wait';

/** What an experiment needs of the stack. */
export const services = ['redis', 'toxiproxy', ...limiterNames, 'prometheus'] as const;
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

export interface Image {
  readonly name: string;
  /** `sha256:…`: a name may have moved on to another image since. Undefined when it is not on this machine. */
  readonly id: string | undefined;
}

/** Why the stack is not what LIMITER_IMAGE asks for; undefined when it is, or when nothing is asked for. */
export async function otherImage(ids: Readonly<Record<Service, string>>): Promise<string | undefined> {
  const name = process.env.LIMITER_IMAGE;
  if (!name) return undefined;
  const asked = await inspect('{{.Id}}', 'image', name).catch(() => undefined);
  const limiters = await inspect('{{.Image}} {{.Config.Image}}', 'container', ...limiterNames.map((name) => ids[name]));
  return otherImageOf({ name, id: asked?.trim() }, limiters);
}

/** From a line for each limiter, of the id and the name of the image that it was made from. */
export function otherImageOf(asked: Image, text: string): string | undefined {
  const running = text
    .trim()
    .split('\n')
    .map((line): Image => {
      const [id, name = ''] = line.trim().split(' ');
      return { id, name };
    });
  const other = running.find(({ id }) => id !== asked.id);
  if (!other) return undefined;
  const start = `LIMITER_IMAGE=${asked.name} docker compose up --wait`;
  return `LIMITER_IMAGE names ${told(asked)}, and the stack that is up runs ${told(other)}. Type: ${start}   (with --build it would be built from this project's source), or use --driver containers`;
}

function told({ name, id }: Image): string {
  return `${name} (${id === undefined ? 'not on this machine' : id.replace('sha256:', '').slice(0, 12)})`;
}

async function inspect(format: string, type: string, ...names: string[]): Promise<string> {
  const args = ['inspect', '--type', type, '--format', format, ...names];
  return (await promisify(execFile)('docker', args, { cwd: projectDirectory, timeout: askMsMax })).stdout;
}

function unusable(why: string): Stack {
  return { state: 'unusable', why };
}
