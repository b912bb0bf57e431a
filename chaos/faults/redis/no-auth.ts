// Redis gets a password that no limiter knows. Connections that stand were let in without one, so they are closed: the new
// ones are refused with NOAUTH.

import { writing } from './commands.ts';
import { defineRefusal } from './refusal.ts';

export const noAuth = defineRefusal({
  kind: 'no-auth',
  set: [
    ['CONFIG', 'SET', 'requirepass', 'known to the lab alone'],
    ['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'],
  ],
  unset: [['CONFIG', 'SET', 'requirepass', '']],
  probe: writing,
  reply: '-NOAUTH',
  description: 'Redis asked for a password that the limiters do not have',
});
