// Redis has fewer replicas than it is to have for a write: it refuses writes with NOREPLICAS.

import { writing } from './commands.ts';
import { defineRefusal } from './refusal.ts';

export const noReplicas = defineRefusal({
  kind: 'no-replicas',
  set: [['CONFIG', 'SET', 'min-replicas-to-write', '1']],
  unset: [['CONFIG', 'SET', 'min-replicas-to-write', '0']],
  probe: writing,
  reply: '-NOREPLICAS',
  description: 'Redis missed its replicas, and refused every write',
});
