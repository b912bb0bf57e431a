// A script of somebody else's runs without an end: Redis refuses with BUSY whatever is no order to kill it. This one reads
// only. A script that has written cannot be killed but together with Redis, which is the fault redis-kill.

import { until } from '../../clock.ts';
import { LabError } from '../../errors.ts';
import { ping } from '../../host/ping.ts';
import { putOnPath, takeOffPath } from '../../host/real-time.ts';
import { defineFault, nothing } from '../fault.ts';
import { commandOf, send, sendOnceTaken, writing } from './commands.ts';
import { placeOf } from './program.ts';

const endless = ['EVAL', 'while true do end', '0'];
/** Redis says nothing to others for so long, and BUSY from then on. */
const silentMs = 1;
const usualSilentMs = 5000;
const startMsMax = 50;
/** On a busy machine Redis, which goes on with the script meanwhile, gets around to an order late. */
const endMsMax = 5000;

export const busy = defineFault({
  kind: 'busy',
  family: 'redis',
  params: nothing,
  examples: [{}],
  needs: ['redis-config'],
  reaches: ['shared-store'],
  effect: () => 'cut-off',
  state: 'kept',
  endsBy: 'heal',
  async inject(environment) {
    const { host, port } = placeOf(environment);
    const { program } = environment.redis;
    // It would keep a processor from all that waits for its turn, which this fault is not about.
    if (program) await takeOffPath(program.pid);
    await send(environment, [['CONFIG', 'SET', 'busy-reply-threshold', String(silentMs)]]);
    await ping(host, port, startMsMax, endless); // on a connection of its own, which Redis does not read meanwhile
  },
  async heal(environment) {
    const command = commandOf(environment);
    const isEnded = (error: Error) => error.message.startsWith('NOTBUSY') || undefined;
    await until(endMsMax, 10, () => command('SCRIPT', 'KILL').then(() => true, isEnded));
    // The script ends a moment after it was told to.
    const restored = await sendOnceTaken(environment, endMsMax, [
      ['CONFIG', 'SET', 'busy-reply-threshold', String(usualSilentMs)],
    ]);
    const { program } = environment.redis;
    if (program) await putOnPath(program.pid);
    if (!restored) throw new LabError(`Redis still ran the script ${endMsMax / 1000} s after its end`);
  },
  probe: writing,
  bites: ({ reply }) => reply.startsWith('-BUSY'),
  describe: () => 'A script kept Redis busy, and it refused every command',
});
