import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const maxClients: Scenario = {
  name: 'max-clients',
  family: 'redis',
  hypothesis:
    'When Redis closes every connection and takes no new one, each request is decided by the fallback in time.',
  faults: [{ use: { kind: 'max-clients' }, ...once }],
  timing,
  keys,
  service,
};
