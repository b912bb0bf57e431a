// A gray failure: Redis stands still for a part of the time, again and again, and is quick in between. It is never away for
// so long that anybody would call it dead.

import { z } from 'zod';
import { sleep } from '../../clock.ts';
import type { Suspendable } from '../../environment.ts';
import { defineFault } from '../fault.ts';
import { Lasting } from '../lasting.ts';
import { programOf } from './program.ts';

const params = z
  .strictObject({ stopMs: z.int().min(10).max(10_000), eachMs: z.int().min(20).max(20_000) })
  .refine(({ stopMs, eachMs }) => stopMs < eachMs, { error: 'stopMs is not less than eachMs', path: ['stopMs'] });

type Duty = z.infer<typeof params>;

const inPlace = new Lasting();
/** Of the time that it stands still, the share that the slowest of many probes surely waits. */
const waitedShare = 0.75;

export const redisGray = defineFault({
  kind: 'redis-gray',
  family: 'redis',
  params,
  examples: [{ stopMs: 30, eachMs: 60 }],
  needs: ['redis-program'],
  reaches: ['shared-store'],
  effect: () => 'degraded',
  state: 'kept',
  endsBy: 'heal',
  inject: (environment, _target, duty) => inPlace.begin(environment, stopping(programOf(environment), duty)),
  heal: (environment) => inPlace.end(environment),
  lookMs: ({ eachMs }) => 2 * eachMs,
  bites: ({ outcome, ms }, { stopMs }) => outcome === 'silent' || (outcome === 'pong' && ms >= waitedShare * stopMs),
  describe: ({ stopMs, eachMs }) => `Redis stood still for ${stopMs} of each ${eachMs} ms`,
});

/** Until it is disposed of, after which it runs. */
function stopping(program: Suspendable, { stopMs, eachMs }: Duty): AsyncDisposable {
  let isOver = false;
  const cycles = (async () => {
    while (!isOver) {
      program.suspend();
      await sleep(stopMs);
      program.resume();
      await sleep(eachMs - stopMs);
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      isOver = true;
      await cycles;
    },
  };
}
