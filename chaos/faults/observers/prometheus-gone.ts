// The Prometheus that scrapes the limiters is killed, and started again with what it had.

import type { Environment } from '../../environment.ts';
import { LabError } from '../../errors.ts';
import { httpLook } from '../../host/http-look.ts';
import { defineFault, nothing } from '../fault.ts';

export const prometheusGone = defineFault({
  kind: 'prometheus-gone',
  family: 'observers',
  params: nothing,
  examples: [{}],
  needs: ['prometheus-process'],
  reaches: ['observers'],
  effect: () => 'none',
  state: 'kept',
  endsBy: 'heal',
  inject: (environment) => prometheusOf(environment).kill(),
  heal: (environment) => prometheusOf(environment).start(),
  look: ({ prometheusUrl }, _target, msMax) => httpLook(`${prometheusUrl}/-/ready`, msMax),
  bites: ({ outcome }) => outcome === 'refused',
  describe: () => 'Prometheus was killed, and scraped nobody',
});

function prometheusOf({ driver, prometheus }: Environment): NonNullable<Environment['prometheus']> {
  if (!prometheus) throw new LabError(`The ${driver} driver cannot kill the Prometheus that scrapes the limiters`);
  return prometheus;
}
