// Rules as files write them, made into those that decide.

import {
  type RlsDescriptor,
  type RlsLevel,
  type RlsRule,
  type RlsRules,
  type RlsUnit,
  rlsRateOf,
} from '../../doors/rls/rules.ts';
import { onStoreFailureOf } from '../field-shapes.ts';
import type { PoliciesOptions } from '../policies.ts';
import type { WrittenDescriptor, WrittenDomain } from './shape.ts';

/** `written`: without a mistake. */
export function rulesOf(written: readonly WrittenDomain[], options: PoliciesOptions): RlsRules {
  return new Map(written.map(({ domain, descriptors }) => [domain, levelOf(descriptors ?? [], options)]));
}

/** What an entry is looked up by that falls under the descriptor. */
export function lookupOf({ key, value }: WrittenDescriptor): string {
  return value ? `${key}_${value}` : key;
}

function levelOf(written: readonly WrittenDescriptor[], options: PoliciesOptions): RlsLevel {
  const all = written.map((descriptor) => [lookupOf(descriptor), descriptorOf(descriptor, options)] as const);
  return {
    descriptors: new Map(all),
    wildcards: all.flatMap(([lookup, descriptor]) =>
      lookup.includes('*') ? [{ descriptor, parts: lookup.split('*') }] : [],
    ),
  };
}

function descriptorOf(written: WrittenDescriptor, options: PoliciesOptions): RlsDescriptor {
  return {
    ...levelOf(written.descriptors ?? [], options),
    rule: ruleOf(written, options),
    sharedValue: (written.share_threshold && written.value) || undefined,
  };
}

function ruleOf(written: WrittenDescriptor, { instances = 1, workers }: PoliciesOptions): RlsRule | undefined {
  const { rate_limit: limit, shadow_mode, onStoreFailure } = written;
  if (!limit) return undefined;
  return {
    name: limit.name || undefined,
    replaces: (limit.replaces ?? []).map(({ name }) => name),
    isShadow: shadow_mode === true,
    rate: limit.unlimited
      ? undefined
      : rlsRateOf({
          unit: limit.unit as RlsUnit, // where it is not unlimited, it has both
          requestsPerUnit: limit.requests_per_unit as number,
          onStoreFailure: onStoreFailureOf(onStoreFailure),
          instances,
          workers,
        }),
  };
}
