// The user of the limiters may do nothing any more: Redis refuses with NOPERM, also on connections that stand.

import { writing } from './commands.ts';
import { defineRefusal } from './refusal.ts';

export const noPermission = defineRefusal({
  kind: 'no-permission',
  set: [['ACL', 'SETUSER', 'default', '-@all', '+ping', '+acl']],
  unset: [['ACL', 'SETUSER', 'default', '+@all']],
  probe: writing,
  reply: '-NOPERM',
  description: 'The user of the limiters lost every permission',
});
