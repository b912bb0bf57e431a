// How the network faults are put on a store link: by Toxiproxy's toxics.
//
//   limiter ──upstream──▶ toxiproxy ──▶ redis
//           ◀─downstream─

import type { Toxic } from '../../environment.ts';
import { LabError } from '../../errors.ts';
import type { FaultDefinition, Target } from '../fault.ts';

const bothStreams = ['upstream', 'downstream'] as const;

/** The same toxic on both streams of the target's link. */
export function onBothStreams<Parameters>(
  toxic: (params: Parameters) => Pick<Toxic, 'type' | 'attributes'>,
): Pick<FaultDefinition<Parameters>, 'inject' | 'heal'> {
  return {
    async inject({ toxiproxy }, target, params) {
      const proxy = proxyOf(target);
      await Promise.all(bothStreams.map((stream) => toxiproxy.addToxic(proxy, { ...toxic(params), stream })));
    },
    heal: ({ toxiproxy }, target) => toxiproxy.removeToxics(proxyOf(target)),
  };
}

/** The name of the target's proxy. Throws where it has none. */
export function proxyOf({ name, instance }: Target): string {
  const proxy = instance?.storeLink.proxy;
  if (proxy === undefined) throw new LabError(`${name} reaches its Redis directly: there is no link to break`);
  return proxy;
}
