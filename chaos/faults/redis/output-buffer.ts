// Redis gives no client more room for its replies than one always has: whoever is sent a long one is closed in mid-reply. A
// decision is short.

import { defineFault, nothing } from '../fault.ts';
import { type Command, send } from './commands.ts';

/** More than the room that a client always has, of 16 KiB. */
const longBytes = 65_536;
const limits = (hardBytes: number): Command => [
  'CONFIG',
  'SET',
  'client-output-buffer-limit',
  `normal ${hardBytes} 0 0`,
];

export const outputBuffer = defineFault({
  kind: 'output-buffer',
  family: 'redis',
  params: nothing,
  examples: [{}],
  needs: ['redis-config'],
  reaches: ['shared-store'],
  effect: () => 'degraded', // many replies at once may be as long
  state: 'kept',
  endsBy: 'heal',
  inject: (environment) => send(environment, [limits(1)]),
  heal: (environment) => send(environment, [limits(0)]),
  probe: ['EVAL', `return ('x'):rep(${longBytes})`, '0'],
  bites: ({ outcome }) => outcome === 'closed',
  describe: () => 'Redis closed every connection that was to get a long reply',
});
