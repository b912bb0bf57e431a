// Packets are dropped by a rule of a firewall, in one direction or both, so that neither end hears of it: connections stay
// up and are opened in vain. When it is healed, what TCP repeats arrives late.

import { z } from 'zod';
import type { PacketFilter } from '../../environment.ts';
import { LabError } from '../../errors.ts';
import { defineFault, type Target } from '../fault.ts';
import { type Direction, direction, ofStoreLinks, streams, wayOf } from './toxics.ts';

interface Blackhole {
  readonly direction: Direction;
}

export const blackhole = defineFault<Blackhole>({
  kind: 'blackhole',
  ...ofStoreLinks,
  params: z.strictObject({ direction }),
  examples: [{}, { direction: 'upstream' }, { direction: 'downstream' }],
  needs: ['netns'],
  effect: () => 'cut-off',
  async inject(_environment, target, { direction }) {
    const packets = packetsOf(target);
    await Promise.all(streams[direction].map((stream) => packets.drop(stream)));
  },
  async heal(_environment, target) {
    const packets = packetsOf(target);
    await Promise.all(streams.both.map((stream) => packets.pass(stream)));
  },
  bites: ({ outcome }) => outcome === 'silent',
  describe: ({ direction }) => `Every packet ${wayOf(direction)} was dropped by a firewall`,
});

/** Throws where nothing can drop them. */
function packetsOf({ name, instance }: Target): PacketFilter {
  const packets = instance?.storeLink.packets;
  if (!packets) throw new LabError(`There is no network namespace between ${name} and its Redis: no packets to drop`);
  return packets;
}
