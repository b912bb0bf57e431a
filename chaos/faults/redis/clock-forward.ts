// The clock of Redis is set forward, as when somebody corrects one that was slow. Every bucket is full again by then, and has
// expired.

import { z } from 'zod';
import { defineFault } from '../fault.ts';
import { clockSteps, ofClock, stepClock } from './clock.ts';

interface Forward {
  readonly forwardS: number;
}

export const clockForward = defineFault<Forward>({
  kind: 'clock-forward',
  ...ofClock,
  params: z.strictObject({ forwardS: clockSteps }),
  examples: [{ forwardS: 86_400 }],
  effect: () => 'degraded', // a call's deadline is told on a clock that has gone
  state: 'lost',
  inject: (environment, _target, { forwardS }) => stepClock(environment, forwardS),
  describe: ({ forwardS }) => `The clock of Redis was set forward by ${forwardS} s`,
});
