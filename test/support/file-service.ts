// The service with a file of its own to read, which goes with it.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readinessOf } from './readiness.ts';
import { type ServiceProcess, startService } from './service.ts';
import { until } from './until.ts';

export interface FileService extends ServiceProcess {
  readonly path: string;
}

/** `redisUrl`: waits until that Redis decides, however busy the machine is. */
export async function startFileService(
  file: { readonly name: string; readonly text: string },
  envOf: (path: string) => Readonly<Record<string, string>>,
  redisUrl: string | undefined,
): Promise<FileService> {
  const directory = await mkdtemp(join(tmpdir(), 'failopen-service-'));
  const path = join(directory, file.name);
  await writeFile(path, file.text);
  const ofRedis = redisUrl === undefined ? {} : { REDIS_URL: redisUrl, REDIS_TIMEOUT_MS: '10000' };
  const remove = () => rm(directory, { recursive: true, force: true });
  const service = await startService({ ...ofRedis, ...envOf(path) }).catch(async (error) => {
    await remove();
    throw error;
  });
  const stop = async () => {
    await service.stop();
    await remove();
  };
  if (redisUrl !== undefined) await until('Redis', async () => (await readinessOf(service)).mechanism === 'redis');
  return { ...service, path, stop, [Symbol.asyncDispose]: stop };
}
