import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const newKeys: Scenario = {
  name: 'new-keys',
  family: 'load',
  hypothesis:
    'When Redis is cut off and each request is for another key, more of them than an instance has fallback buckets for, each is decided in time.',
  faults: [{ use: { kind: 'partition' }, ...once }],
  load: [{ ...once, keys: 'new' }],
  timing,
  keys,
  service: { ...service, FALLBACK_MAX_KEYS: '1000' },
};
