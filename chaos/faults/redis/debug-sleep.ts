// Redis sleeps in the middle of its work, again and again, as in a command that takes long: DEBUG SLEEP. Its own port goes on
// to take connections, and in between it does what was asked of it meanwhile.

import { cycling, type Duty, dutyParams, ofDuty } from '../duty-cycle.ts';
import { defineFault } from '../fault.ts';
import { Lasting } from '../lasting.ts';
import { commandOf } from './commands.ts';

const inPlace = new Lasting();
/** Less than the lab waits for the reply to a command of its own. */
const sleepMsMax = 800;

export const debugSleep = defineFault<Duty>({
  kind: 'debug-sleep',
  family: 'redis',
  params: dutyParams.refine(({ stopMs }) => stopMs <= sleepMsMax, {
    error: `stopMs is more than ${sleepMsMax}`,
    path: ['stopMs'],
  }),
  examples: [{ stopMs: 300, eachMs: 400 }],
  needs: ['redis-program'], // one that is started so that it takes the command
  reaches: ['shared-store'],
  effect: () => 'degraded',
  state: 'kept',
  endsBy: 'heal',
  async inject(environment, _target, duty) {
    const command = commandOf(environment);
    const sleepFor = async (ms: number) => {
      await command('DEBUG', 'SLEEP', String(ms / 1000));
    };
    await sleepFor(0); // an error here is told; one that comes later is that of a Redis which has gone
    await inPlace.begin(
      environment,
      cycling((ms) => sleepFor(ms).catch(() => {}), duty),
    );
  },
  heal: (environment) => inPlace.end(environment),
  ...ofDuty,
  describe: ({ stopMs, eachMs }) => `Redis slept for ${stopMs} of each ${eachMs} ms`,
});
