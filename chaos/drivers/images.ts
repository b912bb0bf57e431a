// The images that containers are made from: names from the environment, public and pinned by default. docker-compose.yml
// has the same defaults; a test compares the two.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ImageName } from 'testcontainers';
import { LabError } from '../errors.ts';
import type { Engine } from '../host/engine.ts';
import type { Target } from '../targets/target.ts';

export const imageDefaults = {
  NODE_IMAGE: 'node:24.21.0-bookworm-slim',
  REDIS_IMAGE: 'redis:7.4.2-bookworm',
  TOXIPROXY_IMAGE: 'ghcr.io/shopify/toxiproxy:2.12.0',
  PROMETHEUS_IMAGE: 'prom/prometheus:v3.1.0',
} as const;

const projectDirectory = join(import.meta.dirname, '..', '..');
const builtName = 'failopen-limiter:lab';
const buildMsMax = 10 * 60_000;

export function imageOf(variable: keyof typeof imageDefaults): string {
  return process.env[variable] || imageDefaults[variable];
}

/** Sees that the image is on this machine; pulls it if it is not. */
export async function fetchImage({ client }: Engine, name: string, variable: string): Promise<void> {
  const image = ImageName.fromString(name);
  if (await client.image.exists(image)) return;
  const failure = await client.image.pull(image).then(
    () => undefined,
    (error: Error) => error,
  );
  if (await client.image.exists(image)) return;
  const why = failure ? ` (${failure.message.split('\n')[0]})` : '';
  throw new LabError(
    `The image ${name} is not on this machine and cannot be pulled${why}. Type: docker pull ${name}, or name another with ${variable}`,
  );
}

/**
 * The image of the limiter under test: the target's, LIMITER_IMAGE, else the service's own, built from what the source is now. By the
 * docker command, since testcontainers keeps silent about a build that fails and goes on with an older image.
 */
export async function limiterImage(engine: Engine, { start }: Pick<Target, 'start'>): Promise<string> {
  if ('image' in start) {
    await fetchImage(engine, start.image, 'start.image of the target file');
    return start.image;
  }
  const named = process.env.LIMITER_IMAGE;
  if (named) {
    await fetchImage(engine, named, 'LIMITER_IMAGE');
    return named;
  }
  await fetchImage(engine, imageOf('NODE_IMAGE'), 'NODE_IMAGE');
  const args = ['build', '--quiet', '--file', 'service/Dockerfile', '--tag', builtName];
  const build = [...args, '--build-arg', `NODE_IMAGE=${imageOf('NODE_IMAGE')}`, '.'];
  try {
    await promisify(execFile)('docker', build, { cwd: projectDirectory, timeout: buildMsMax });
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string };
    const tail = (stderr.trim() || message).split('\n').slice(-3).join(' / ');
    throw new LabError(`The service's image cannot be built: ${tail}. Type: docker ${build.join(' ')}`);
  }
  return builtName;
}
