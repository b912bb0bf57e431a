import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const hotKey: Scenario = {
  name: 'hot-key',
  family: 'load',
  hypothesis: 'When everybody asks for the same key, it is given what its bucket holds and no more, and nobody waits.',
  load: [{ ...once, keys: 'one' }],
  timing,
  keys,
  service,
};
