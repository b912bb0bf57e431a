// Redis is a replica of a master that is not there, and so refuses writes with READONLY: as the old master after a failover.

import { writing } from './commands.ts';
import { defineRefusal } from './refusal.ts';

export const readOnly = defineRefusal({
  kind: 'read-only',
  set: [['REPLICAOF', '127.0.0.1', '1']],
  unset: [['REPLICAOF', 'NO', 'ONE']],
  probe: writing,
  reply: '-READONLY',
  description: 'Redis became a replica, and refused every write',
});
