import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const stall: Scenario = {
  name: 'stall',
  family: 'network',
  hypothesis:
    'When the network holds every packet back and delivers it up to 5 s late, no request waits and no late script takes a token.',
  faults: [{ use: { kind: 'stall' }, ...once }],
  timing,
  keys,
  service,
};
