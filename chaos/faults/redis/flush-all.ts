// Somebody empties Redis: every bucket is lost at once, and Redis goes on deciding.

import { send } from './commands.ts';
import { defineDeed } from './deed.ts';

export const flushAll = defineDeed({
  kind: 'flush-all',
  state: 'lost',
  inject: (environment) => send(environment, [['FLUSHALL', 'SYNC']]),
  seen: { section: 'commandstats', pattern: 'cmdstat_flushall:' },
  description: 'Redis was emptied',
});
