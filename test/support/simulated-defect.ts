// What a limiter with a defect is in the simulation, and how one is made of the shipped code: with one part replaced.

import type { Core, LimiterParts, Limiter as SimulatedLimiter } from '../../chaos/simulation/core.ts';
import type { SimulatedClient } from '../../chaos/simulation/redis-client.ts';
import { type Changes, createLimiter, service } from '../../scenarios/simulated/limiter.ts';
import type { RemoteStore } from '../../service/core/shard.ts';
import type { Decision, Take } from '../../service/core/store.ts';
import type { RedisStore } from '../../service/redis/store.ts';

export interface SimulatedDefect {
  readonly name: string;
  /** A sentence. */
  readonly defect: string;
  readonly core: Core;
  /** The check that finds it. */
  readonly check: string;
  /** The first seed, from 0, whose storm finds it by that check. */
  readonly seed: number;
}

/** With the same scripts. */
export function coreOf(create: (parts: LimiterParts) => SimulatedLimiter): Core {
  return { scripts: service.scripts, create };
}

/** With the changes to the shipped parts, made anew for each instance. */
export function changed(changesOf: (parts: LimiterParts) => Changes): Core {
  return coreOf((parts) => createLimiter(parts, changesOf(parts)));
}

/** With other settings than it is judged by. */
export function withBounds(bounds: Partial<LimiterParts['bounds']>): Core {
  return coreOf((parts) => createLimiter({ ...parts, bounds: { ...parts.bounds, ...bounds } }));
}

/** Calls the client differently. */
export function withClient(differ: (client: SimulatedClient) => void): Core {
  return changed(() => ({
    client: (client) => {
      differ(client);
      return client;
    },
  }));
}

/** The store as it is, but for some methods. */
export function storeWith(store: RedisStore, methods: Partial<RemoteStore>): RemoteStore {
  return {
    mechanism: store.mechanism,
    get ready() {
      return store.ready;
    },
    decideMany: (takes) => store.decideMany(takes),
    probe: () => store.probe(),
    giveBack: (giveBack) => store.giveBack(giveBack),
    ...methods,
  };
}

/** Each decision of the limiter as it is told in the end. */
export function deciding(changeOf: () => (decision: Decision, take: Take) => Decision): Core {
  return changed(() => {
    const change = changeOf();
    return {
      limiter: (limiter) => ({
        decide(take) {
          const decision = limiter.decide(take);
          return decision instanceof Promise ? decision.then((it) => change(it, take)) : change(decision, take);
        },
      }),
    };
  });
}
