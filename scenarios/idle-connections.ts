import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const idleConnections: Scenario = {
  name: 'idle-connections',
  family: 'clients',
  hypothesis: 'When 500 connections stand idle at one instance, whoever asks it is answered as quickly as ever.',
  faults: [{ use: { kind: 'idle-connections', count: 500 }, ...once }],
  timing,
  keys,
  service,
};
