import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const oneLink: Scenario = {
  name: 'one-link',
  family: 'network',
  hypothesis:
    'When one instance alone loses its way to Redis, it decides by its fallback, and the other stays with Redis.',
  faults: [{ use: { kind: 'partition' }, on: 'one-store-link', ...once }],
  timing,
  keys,
  service,
};
