import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const slowScrapers: Scenario = {
  name: 'slow-scrapers',
  family: 'observers',
  hypothesis:
    'When 20 scrapers of one instance read a byte each second, whoever asks it is answered as quickly as ever.',
  faults: [{ use: { kind: 'slow-scrapers', count: 20 }, ...once }],
  timing,
  keys,
  service,
};
