// Limiters with one defect each in what they decide.

import { LocalStore } from '../../service/core/local-store.ts';
import type { Decision } from '../../service/core/store.ts';
import { changed, deciding, type SimulatedDefect } from './simulated-defect.ts';

const ownKeysMax = 2000;

class SmallFleet extends LocalStore {
  #fewest = Number.POSITIVE_INFINITY;

  override get instances(): number {
    return super.instances;
  }

  override set instances(count: number) {
    this.#fewest = Math.min(this.#fewest, count);
    super.instances = this.#fewest;
  }
}

export const bucketDefects: readonly SimulatedDefect[] = [
  {
    name: 'full-at-opening',
    defect: 'Gives every key a full fallback bucket whenever its breaker opens.',
    core: changed(({ nowUs, instances = 1 }) => {
      let current = new LocalStore({ keysMax: ownKeysMax, nowUs });
      return {
        fallback: (fallback) => {
          current = fallback;
          return new Proxy(fallback, {
            get: (_target, name) => {
              const value = Reflect.get(current, name, current);
              return typeof value === 'function' ? value.bind(current) : value;
            },
            set: (_target, name, value) => Reflect.set(current, name, value, current),
          });
        },
        onMove: (_from, to) => {
          if (to !== 'open') return;
          current = new LocalStore({ keysMax: ownKeysMax, nowUs });
          current.instances = instances;
        },
      };
    }),
    check: 'tokens',
    seed: 1,
  },
  {
    name: 'whole-refill',
    defect: 'Refills the fallback buckets of each instance as if it were the only one.',
    core: changed(() => ({
      fallback: (fallback) => Object.defineProperty(fallback, 'instances', { get: () => 1, set: () => {} }),
    })),
    check: 'tokens',
    seed: 1,
  },
  {
    name: 'small-fleet',
    defect: 'Divides the refill among the fewest instances that it ever counted, however the fleet grows.',
    core: changed(({ nowUs }) => ({ fallback: () => new SmallFleet({ keysMax: ownKeysMax, nowUs }) })),
    check: 'tokens',
    seed: 3,
  },
  {
    name: 'unlimited',
    defect: 'Lets everything pass while Redis cannot decide.',
    core: deciding(
      () => (decision) => (decision.mechanism === 'fallback' ? { ...decision, allowed: true, remaining: 0 } : decision),
    ),
    check: 'tokens',
    seed: 1,
  },
  {
    name: 'one-bucket',
    defect: 'Has one fallback bucket for all keys.',
    core: changed(() => ({
      fallback: (fallback) => {
        const decide = fallback.decide.bind(fallback);
        fallback.decide = (take) => decide({ ...take, charges: take.charges.map((it) => ({ ...it, bucket: 'all' })) });
        return fallback;
      },
    })),
    check: 'needless-refusal',
    seed: 0,
  },
  {
    name: 'denial-kept',
    defect: 'Repeats a denial of Redis for the whole window, though the bucket refills meanwhile.',
    core: changed(({ nowUs, bounds }) => {
      const denied = new Map<string, { readonly untilUs: number; readonly decision: Decision }>();
      const windowUs = (1_000_000 * bounds.capacity) / bounds.refillPerSecond;
      return {
        limiter: (limiter) => ({
          async decide(take) {
            const known = denied.get(take.key);
            if (known && nowUs() < known.untilUs) return known.decision;
            const decision = await limiter.decide(take);
            if (!decision.allowed && decision.mechanism !== 'fallback')
              denied.set(take.key, { untilUs: nowUs() + windowUs, decision });
            return decision;
          },
        }),
      };
    }),
    check: 'fairness',
    seed: 1,
  },
];
