// One instance's settings, divided among its workers.

import { type Limit, withFallbackCapacity } from '../core/limit.ts';
import type { Config } from './env.ts';
import { rulesOf } from './rls/rules.ts';

/** A worker's part of what one instance has. */
export function shareOf(config: Config): Config {
  const { workers, instances, policies, written, fallbackKeysMax } = config;
  const policiesOptions = { ...config.policiesOptions, workers };
  const limitShare = (limit: Limit) =>
    withFallbackCapacity(limit, Math.max(1, Math.floor(limit.fallback.capacity / workers)));
  return {
    ...config,
    policies: policies.map((policy) => ({
      ...policy,
      limits: policy.limits.map(limitShare),
      candidate: policy.candidate.map(limitShare),
    })),
    rules: rulesOf(written.rules ?? [], policiesOptions),
    policiesOptions,
    fallbackKeysMax: Math.max(1, Math.floor(fallbackKeysMax / workers)),
    instances: instances === undefined ? undefined : instances * workers,
  };
}
