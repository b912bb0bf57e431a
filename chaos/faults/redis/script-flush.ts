// Redis forgets every script, as after a failover to a replica. Whoever calls one by its hash gets NOSCRIPT, and has to send
// it again.

import { send } from './commands.ts';
import { defineDeed } from './deed.ts';

export const scriptFlush = defineDeed({
  kind: 'script-flush',
  state: 'kept',
  inject: (environment) => send(environment, [['SCRIPT', 'FLUSH', 'SYNC']]),
  seen: { section: 'commandstats', pattern: 'cmdstat_script|flush:' },
  description: 'Redis forgot every script',
});
