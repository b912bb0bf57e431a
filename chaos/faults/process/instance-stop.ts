// SIGSTOP of one instance: its connections stand, and nothing is answered, as when its machine is suspended. Healed by
// SIGCONT, after which it finds that its clocks have gone on.

import { defineFault, nothing } from '../fault.ts';
import { answering, look, processOf } from './instance.ts';

export const instanceStop = defineFault({
  kind: 'instance-stop',
  family: 'process',
  params: nothing,
  examples: [{}],
  needs: ['limiter-process'],
  reaches: ['one-instance'],
  effect: () => 'unavailable',
  state: 'kept',
  endsBy: 'heal',
  inject: async (environment, target) => processOf(environment, target).suspend(),
  async heal(environment, target) {
    processOf(environment, target).resume();
    await answering(target);
  },
  look,
  bites: ({ outcome }) => outcome === 'silent',
  describe: () => 'One limiter stood still',
});
