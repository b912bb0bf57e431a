// Redis is over its maxmemory and evicts nothing: it refuses writes with OOM.

import { writing } from './commands.ts';
import { defineRefusal } from './refusal.ts';

export const outOfMemory = defineRefusal({
  kind: 'out-of-memory',
  set: [['CONFIG', 'SET', 'maxmemory', '1']],
  unset: [['CONFIG', 'SET', 'maxmemory', '0']],
  probe: writing,
  reply: '-OOM',
  description: 'Redis had no memory left, and refused every write',
});
