import type { Scenario } from '../chaos/scenario.ts';
import { eachPhaseTwice, keys, service, twiceTiming } from './defaults.ts';

export const openFiles: Scenario = {
  name: 'open-files',
  family: 'process',
  hypothesis:
    'When one limiter can open no more files, only who comes anew to it is turned away, and the other stays with Redis.',
  faults: [{ use: { kind: 'open-files' }, ...eachPhaseTwice }],
  timing: twiceTiming,
  keys,
  service,
};
