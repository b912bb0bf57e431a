// Redis is a replica without a master, and tells nothing that may be stale: it refuses with MASTERDOWN.

import { defineRefusal } from './refusal.ts';

export const masterDown = defineRefusal({
  kind: 'master-down',
  set: [
    ['CONFIG', 'SET', 'replica-serve-stale-data', 'no'],
    ['REPLICAOF', '127.0.0.1', '1'],
  ],
  unset: [
    ['REPLICAOF', 'NO', 'ONE'],
    ['CONFIG', 'SET', 'replica-serve-stale-data', 'yes'],
  ],
  probe: ['GET', 'failopen-lab-probe'],
  reply: '-MASTERDOWN',
  description: 'Redis became a replica without a master, and refused every command',
});
