// The files of Envoy's protocol, for whoever asks a server what it speaks, and for clients in tests.

import { join } from 'node:path';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';

export const rlsServiceName = 'envoy.service.ratelimit.v3.RateLimitService';

export function loadProtocol(): PackageDefinition {
  return loadSync('envoy/service/ratelimit/v3/rls.proto', {
    includeDirs: [join(import.meta.dirname, 'proto')],
    keepCase: true,
    longs: Number,
    enums: String,
    defaults: true,
  });
}
