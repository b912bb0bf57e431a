// Environments of no more than a fault needs that is tried by itself: no Toxiproxy, no Prometheus.

import type { NativeParts } from '../../chaos/drivers/native-parts.ts';
import type { Environment, Instance } from '../../chaos/environment.ts';

/** One instance, and a Redis that nobody kills unless the test has one. */
export function environmentOf(
  parts: NativeParts,
  instance: Instance,
  redis: Environment['redis'] = { kill: async () => {}, start: async () => {} },
): Environment {
  return {
    driver: 'native',
    instances: [instance],
    toxiproxy: {
      addToxic: async () => {},
      changeToxic: async () => {},
      removeToxics: async () => {},
      setEnabled: async () => {},
    },
    redis,
    prometheusUrl: '',
    startBusy: (processor) => parts.startBusy(processor),
    versions: {},
    broken: parts.broken,
    [Symbol.asyncDispose]: async () => {},
  };
}

/** A Redis alone, at the end of the store link of an instance that is not there. */
export function environmentOfRedis(parts: NativeParts, redis: Environment['redis']): Environment {
  if (!redis.at) throw new Error('no place');
  const storeLink = { proxy: undefined, ...redis.at };
  return environmentOf(parts, { name: 'limiter-1', control: false, frontUrl: '', url: '', storeLink }, redis);
}
