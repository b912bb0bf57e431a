// The clock of the shared Redis, as faults set it, and how the lab sees that it is wrong. It stays so: the heal takes it for
// the right one.

import { z } from 'zod';
import type { Environment } from '../../environment.ts';
import { LabError } from '../../errors.ts';
import { ping } from '../../host/ping.ts';
import type { FaultDefinition } from '../fault.ts';

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

/** By how many seconds a clock may be set, so that it is seen. */
export const clockSteps = z
  .int()
  .min(2 * apartS)
  .max(31_536_000);

/** What all faults of the clock have in common. */
export const ofClock = {
  family: 'redis',
  needs: ['redis-clock'],
  reaches: ['shared-store'],
  endsBy: 'heal',
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
} as const satisfies Partial<FaultDefinition<unknown>>;

/** Sets it forward, or back by what is negative. Throws when the driver cannot. */
export async function stepClock(environment: Environment, seconds: number): Promise<void> {
  const { setAhead } = environment.redis;
  if (!setAhead)
    throw new LabError(`The ${environment.driver} driver cannot set the clock of the Redis that all share`);
  const { aheadS, rightS } = clocks.get(environment) ?? { aheadS: 0, rightS: 0 };
  clocks.set(environment, { aheadS: aheadS + seconds, rightS });
  await setAhead(aheadS + seconds);
}
