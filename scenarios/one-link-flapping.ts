import type { Scenario } from '../chaos/scenario.ts';
import { keys, once, service, timing } from './defaults.ts';

export const oneLinkFlapping: Scenario = {
  name: 'one-link-flapping',
  family: 'network',
  hypothesis: 'When the link of one instance alone is closed again and again, the other stays with Redis throughout.',
  faults: [{ use: { kind: 'down' }, on: 'one-store-link', ...once, forMs: 1500, every: { ms: 4000, times: 3 } }],
  timing: { ...timing, durationMs: 18_000 },
  keys,
  service,
};
