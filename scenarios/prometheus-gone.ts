import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const prometheusGone: Scenario = {
  name: 'prometheus-gone',
  family: 'observers',
  hypothesis: 'When the Prometheus that scrapes the limiters is killed, nobody who asks them notices.',
  faults: [{ use: { kind: 'prometheus-gone' }, ...once }],
  timing,
  keys,
  service,
};
