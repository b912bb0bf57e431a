// What the faults have in common that are on the way between the clients and a limiter: the limiter has its store all the
// same. The lab sees them as a client would.

import { httpLook, livenessPath } from '../../host/http-look.ts';
import type { FaultDefinition } from '../fault.ts';

export const ofFrontLinks = {
  family: 'clients',
  needs: ['front-toxics'],
  reaches: ['one-front-link', 'front-links'],
  effect: () => 'none',
  state: 'kept',
  endsBy: 'heal',
  look: async (_environment, { instance }, msMax) => httpLook(`${instance?.frontUrl}${livenessPath}`, msMax),
} as const satisfies Partial<FaultDefinition<unknown>>;
