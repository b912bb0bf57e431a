// The service with the door of Envoy open, and rules of its own, which go with it.

import { dirname } from 'node:path';
import { freePort } from '../../chaos/free-port.ts';
import { startFileService } from './file-service.ts';
import type { ServiceProcess } from './service.ts';

export interface RlsService extends ServiceProcess {
  readonly grpcPort: number;
}

/** `redisUrl`: waits until that Redis decides, however busy the machine is. */
export async function startRlsService(
  rules: string,
  env: Readonly<Record<string, string>> = {},
  redisUrl?: string,
): Promise<RlsService> {
  const grpcPort = await freePort();
  const envOf = (path: string) => ({ GRPC_PORT: String(grpcPort), RLS_CONFIG_DIR: dirname(path), ...env });
  return { ...(await startFileService({ name: 'rules.yaml', text: rules }, envOf, redisUrl)), grpcPort };
}
