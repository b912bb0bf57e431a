import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const outputBuffer: Scenario = {
  name: 'output-buffer',
  family: 'redis',
  hypothesis:
    'When Redis closes every connection that was to get a long reply, each request is decided in time, by whoever can.',
  faults: [{ use: { kind: 'output-buffer' }, ...once }],
  timing,
  keys,
  service,
};
