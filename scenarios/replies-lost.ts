import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const repliesLost: Scenario = {
  name: 'replies-lost',
  family: 'network',
  hypothesis:
    'When Redis does what it is asked to and every reply is lost, each request is decided by the fallback in time.',
  faults: [{ use: { kind: 'partition', direction: 'downstream' }, ...once }],
  timing,
  keys,
  service,
};
