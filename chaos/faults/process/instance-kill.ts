// SIGKILL of one instance: what it remembered is lost with it. Healed by a start of the same instance. That it does not
// become ready is no error of the lab's: what is not answered then tells.

import { NotReady } from '../../host/processes.ts';
import { defineFault, nothing } from '../fault.ts';
import { look, processOf } from './instance.ts';

export const instanceKill = defineFault({
  kind: 'instance-kill',
  family: 'process',
  params: nothing,
  examples: [{}],
  needs: ['limiter-process'],
  reaches: ['one-instance'],
  effect: () => 'unavailable',
  state: 'lost',
  endsBy: 'heal',
  inject: (environment, target) => processOf(environment, target).kill(),
  heal: (environment, target) =>
    processOf(environment, target)
      .start()
      .catch((error) => {
        if (!(error instanceof NotReady)) throw error;
      }),
  look,
  bites: ({ outcome }) => outcome === 'refused' || outcome === 'closed',
  describe: () => 'One limiter was killed, and started anew',
});
