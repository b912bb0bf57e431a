// One instance's settings, divided among its workers.

import type { Config } from './env.ts';

/** A worker's part of what one instance has. */
export function shareOf(config: Config): Config {
  const { workers, instances, fallbackPolicy, fallbackKeysMax } = config;
  return {
    ...config,
    fallbackPolicy: { ...fallbackPolicy, capacity: Math.max(1, Math.floor(fallbackPolicy.capacity / workers)) },
    fallbackKeysMax: Math.max(1, Math.floor(fallbackKeysMax / workers)),
    instances: instances === undefined ? undefined : instances * workers,
  };
}
