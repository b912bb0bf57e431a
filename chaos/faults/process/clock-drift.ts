// The clocks of one instance gain or lose on everybody else's, as those of a machine do whose oscillator is bad or whose
// time is being corrected. What they gained stays after the heal: from then on they go as they should.

import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { monotonicUs } from '../../clock.ts';
import type { Environment, Instance } from '../../environment.ts';
import { LabError } from '../../errors.ts';
import { defineFault, type Target } from '../fault.ts';
import { look } from './instance.ts';

interface Drift {
  /** Parts in a million; negative when they lose. */
  readonly ppm: number;
}

const ppmMin = 100;
const ppmMax = 50_000;
const lookMs = 200;
/** In which it is asked before that. */
const askedMs = 100;

export const clockDrift = defineFault<Drift>({
  kind: 'clock-drift',
  family: 'process',
  params: z.strictObject({
    ppm: z
      .int()
      .min(-ppmMax)
      .max(ppmMax)
      .refine((ppm) => Math.abs(ppm) >= ppmMin, { error: `less than ${ppmMin} ppm is no drift that shows` }),
  }),
  examples: [{ ppm: 500 }, { ppm: 10_000 }, { ppm: -10_000 }],
  needs: ['limiter-clock'],
  reaches: ['one-instance'],
  effect: () => 'none',
  state: 'kept',
  endsBy: 'heal',
  clockDriftRatio: ({ ppm }) => Math.abs(ppm) / 1e6,
  inject: async (environment, target, { ppm }) => clockOf(environment, target).setDrift(ppm),
  heal: async (environment, target) => clockOf(environment, target).setDrift(0),
  /** The instance asks for the time whenever it is asked for anything, long before it answers on a busy machine. */
  async look(environment, target, msMax) {
    const clock = target.instance?.clock;
    if (!clock) return look(environment, target, msMax);
    await look(environment, target, askedMs);
    const [gainedMs, sinceUs] = [clock.gainedMs(), monotonicUs()];
    await delay(lookMs);
    const after = await look(environment, target, msMax);
    const ppm = ((clock.gainedMs() - gainedMs) / (monotonicUs() - sinceUs)) * 1e9;
    if (Math.abs(ppm) < ppmMin / 2) return after;
    return { ...after, outcome: 'other', reply: `its clock gained ${ppm.toFixed(0)} ppm` };
  },
  bites: ({ outcome }) => outcome === 'other',
  describe: ({ ppm }) => `The clock of one limiter was ${Math.abs(ppm) / 10_000} % too ${ppm > 0 ? 'fast' : 'slow'}`,
});

/** Throws when the driver has no way to it. */
function clockOf({ driver }: Environment, { name, instance }: Target): NonNullable<Instance['clock']> {
  if (!instance?.clock) throw new LabError(`The ${driver} driver cannot set the clock of ${name}`);
  return instance.clock;
}
