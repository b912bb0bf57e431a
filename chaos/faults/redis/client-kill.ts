// Redis closes every connection but the lab's, again and again: whoever uses it has to connect anew each time.

import { z } from 'zod';
import { every } from '../../clock.ts';
import { defineFault } from '../fault.ts';
import { Lasting } from '../lasting.ts';
import { type Command, commandOf, send } from './commands.ts';
import { forget, isSeen, probeOf } from './deed.ts';

const killAll: Command = ['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'];
const storms = new Lasting();

export const clientKill = defineFault({
  kind: 'client-kill',
  family: 'redis',
  params: z.strictObject({ everyMs: z.int().min(10).max(60_000) }),
  examples: [{ everyMs: 500 }],
  needs: ['redis-config'],
  reaches: ['shared-store'],
  effect: () => 'degraded',
  state: 'kept',
  endsBy: 'heal',
  async inject(environment, _target, { everyMs }) {
    await send(environment, [killAll]);
    const command = commandOf(environment);
    // Redis may be away for another reason: the next one finds it.
    await storms.begin(
      environment,
      every(everyMs, () => command(...killAll).catch(() => {})),
    );
  },
  async heal(environment) {
    await storms.end(environment);
    await forget(environment);
  },
  probe: probeOf({ section: 'commandstats', pattern: 'cmdstat_client|kill:' }),
  // The probe's own connection may be one of those closed.
  bites: (ping) => isSeen(ping) || ping.outcome === 'closed',
  describe: ({ everyMs }) => `Redis closed every connection each ${everyMs} ms`,
});
