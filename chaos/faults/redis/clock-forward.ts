// The clock of Redis is set forward, as when somebody corrects one that was slow. It stays so: the heal takes it for the
// right one. Every bucket is full again by then, and has expired.

import { z } from 'zod';
import type { Environment } from '../../environment.ts';
import { LabError } from '../../errors.ts';
import { ping } from '../../host/ping.ts';
import { defineFault } from '../fault.ts';

interface Clock {
  /** By how much it is ahead of the machine's. */
  aheadS: number;
  /** By how much it was when it was last taken for right. */
  rightS: number;
}

const clocks = new WeakMap<Environment, Clock>();
/** More than two clocks of the same time are apart. */
const apartS = 60;
const told = 'its clock is wrong by';

export const clockForward = defineFault({
  kind: 'clock-forward',
  family: 'redis',
  params: z.strictObject({
    forwardS: z
      .int()
      .min(2 * apartS)
      .max(31_536_000),
  }),
  examples: [{ forwardS: 86_400 }],
  needs: ['redis-clock'],
  reaches: ['shared-store'],
  effect: () => 'degraded', // a call's deadline is told on a clock that has gone
  state: 'lost',
  endsBy: 'heal',
  async inject(environment, _target, { forwardS }) {
    const { setAhead } = environment.redis;
    if (!setAhead)
      throw new LabError(`The ${environment.driver} driver cannot set the clock of the Redis that all share`);
    const { aheadS, rightS } = clocks.get(environment) ?? { aheadS: 0, rightS: 0 };
    clocks.set(environment, { aheadS: aheadS + forwardS, rightS });
    await setAhead(aheadS + forwardS);
  },
  async heal(environment) {
    const clock = clocks.get(environment);
    if (clock) clock.rightS = clock.aheadS;
  },
  async look(environment, { instance }, msMax) {
    const { host = '', port = 0 } = instance?.storeLink ?? {};
    const seen = await ping(host, port, msMax, ['EVAL', "return tonumber(redis.call('TIME')[1])", '0']);
    if (seen.outcome !== 'pong') return seen;
    const rightS = instance?.control ? 0 : (clocks.get(environment)?.rightS ?? 0);
    const wrongS = Number(seen.reply.slice(1)) - Date.now() / 1000 - rightS;
    return Math.abs(wrongS) < apartS ? seen : { ...seen, outcome: 'other', reply: `${told} ${wrongS.toFixed(0)} s` };
  },
  bites: ({ reply }) => reply.startsWith(told),
  describe: ({ forwardS }) => `The clock of Redis was set forward by ${forwardS} s`,
});
