import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const acceptClose: Scenario = {
  name: 'accept-close',
  family: 'network',
  hypothesis:
    'When the proxy before Redis takes every connection and closes it, each request is decided by the fallback in time.',
  faults: [{ use: { kind: 'accept-close' }, ...once }],
  timing,
  keys,
  service,
};
