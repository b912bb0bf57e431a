// The clock of Redis is set back, as when somebody corrects one that was fast. What a bucket remembers lies in the future
// then: a limiter may take it for empty, once, and must not wait until that future has come.

import { z } from 'zod';
import { defineFault } from '../fault.ts';
import { clockSteps, ofClock, stepClock } from './clock.ts';

interface Back {
  readonly backS: number;
}

export const clockBack = defineFault<Back>({
  kind: 'clock-back',
  ...ofClock,
  params: z.strictObject({ backS: clockSteps }),
  examples: [{ backS: 86_400 }],
  effect: () => 'none',
  state: 'perhaps-emptied',
  inject: (environment, _target, { backS }) => stepClock(environment, -backS),
  describe: ({ backS }) => `The clock of Redis was set back by ${backS} s`,
});
