// The service with a policies file of its own, which goes with it.

import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readinessOf } from './readiness.ts';
import { type ServiceProcess, startService } from './service.ts';
import { until } from './until.ts';

export interface PoliciesService extends ServiceProcess {
  readonly policiesPath: string;
  /** Puts another file in the place of the policies file, as editors do. */
  replacePolicies(text: string): Promise<void>;
}

/** `redisUrl`: waits until that Redis decides, however busy the machine is. */
export async function startPoliciesService(
  policies: string,
  env: Readonly<Record<string, string>> = {},
  redisUrl?: string,
): Promise<PoliciesService> {
  const dir = await mkdtemp(join(tmpdir(), 'failopen-policies-'));
  const policiesPath = join(dir, 'policies.yaml');
  await writeFile(policiesPath, policies);
  const ofRedis = redisUrl === undefined ? {} : { REDIS_URL: redisUrl, REDIS_TIMEOUT_MS: '10000' };
  const remove = () => rm(dir, { recursive: true, force: true });
  const service = await startService({ ...ofRedis, POLICIES_FILE: policiesPath, ...env }).catch(async (error) => {
    await remove();
    throw error;
  });
  const stop = async () => {
    await service.stop();
    await remove();
  };
  if (redisUrl !== undefined) await until('Redis', async () => (await readinessOf(service)).mechanism === 'redis');
  return {
    ...service,
    policiesPath,
    async replacePolicies(text) {
      await writeFile(`${policiesPath}.new`, text);
      await rename(`${policiesPath}.new`, policiesPath);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
