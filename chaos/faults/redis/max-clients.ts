// All connections but the lab's are closed, and Redis takes no other: it refuses each new one with an error, and closes it.

import { defineRefusal } from './refusal.ts';

export const maxClients = defineRefusal({
  kind: 'max-clients',
  set: [
    ['CONFIG', 'SET', 'maxclients', '1'],
    ['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'],
  ],
  unset: [['CONFIG', 'SET', 'maxclients', '10000']],
  probe: ['PING'],
  reply: '-ERR max number of clients reached',
  description: 'Redis closed every connection, and had no room for a new one',
});
