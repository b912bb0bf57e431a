// A process that stands still for a part of the time, again and again, and is quick in between: a gray failure. It is never
// away for so long that anybody would call it dead.

import { z } from 'zod';
import { sleep } from '../clock.ts';
import type { Suspendable } from '../environment.ts';
import type { FaultDefinition } from './fault.ts';

export const dutyParams = z
  .strictObject({ stopMs: z.int().min(10).max(10_000), eachMs: z.int().min(20).max(20_000) })
  .refine(({ stopMs, eachMs }) => stopMs < eachMs, { error: 'stopMs is not less than eachMs', path: ['stopMs'] });

export type Duty = z.infer<typeof dutyParams>;

/** Of the time that it stands still, the share that the slowest of many probes surely waits. */
const waitedShare = 0.75;

/** How it is seen. */
export const ofDuty = {
  lookMs: ({ eachMs }) => 2 * eachMs,
  bites: ({ outcome, ms }, { stopMs }) => outcome === 'silent' || (outcome === 'pong' && ms >= waitedShare * stopMs),
} as const satisfies Partial<FaultDefinition<Duty>>;

/** Until it is disposed of, after which it runs. */
export function stopping(program: Suspendable, duty: Duty): AsyncDisposable {
  return cycling(async (ms) => {
    program.suspend();
    await sleep(ms);
    program.resume();
  }, duty);
}

/** `stop`: makes it stand still for so many milliseconds, and resolves when it runs again. */
export function cycling(stop: (ms: number) => Promise<void>, { stopMs, eachMs }: Duty): AsyncDisposable {
  let isOver = false;
  const cycles = (async () => {
    while (!isOver) {
      await stop(stopMs);
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
