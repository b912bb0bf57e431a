// The service with a policies file of its own, which goes with it.

import { rename, writeFile } from 'node:fs/promises';
import { startFileService } from './file-service.ts';
import type { ServiceProcess } from './service.ts';

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
  const envOf = (path: string) => ({ POLICIES_FILE: path, ...env });
  const { path, ...service } = await startFileService({ name: 'policies.yaml', text: policies }, envOf, redisUrl);
  return {
    ...service,
    policiesPath: path,
    async replacePolicies(text) {
      await writeFile(`${path}.new`, text);
      await rename(`${path}.new`, path);
    },
  };
}
