// Limiters with one defect each in how they ask Redis, and when.

import { createLimiter } from '../../scenarios/simulated/limiter.ts';
import type { RedisStore } from '../../service/redis/store.ts';
import { changed, coreOf, type SimulatedDefect, storeWith, withBounds, withClient } from './simulated-defect.ts';

const never = new Promise<never>(() => {});

export const callDefects: readonly SimulatedDefect[] = [
  {
    name: 'never-opens',
    defect: 'Waits for a Redis that is away with every request: its breaker never opens.',
    core: withBounds({ breakerFailures: 1_000_000_000 }),
    check: 'trips',
    seed: 3,
  },
  {
    name: 'never-closes',
    defect: 'Never asks Redis again once its breaker is open.',
    core: changed(() => ({ store: (store) => storeWith(store, { probe: () => never }) })),
    check: 'settled',
    seed: 0,
  },
  {
    name: 'asks-while-open',
    defect: 'Sends every take to Redis as well while its breaker is open.',
    core: changed(() => {
      let isOpen = false;
      let open: RedisStore | undefined;
      return {
        onMove: (_from, to) => {
          isOpen = to === 'open';
        },
        store: (store) => {
          open = store;
          return store;
        },
        limiter: (limiter) => ({
          decide(take) {
            if (isOpen) open?.decideMany([take]).catch(() => {});
            return limiter.decide(take);
          },
        }),
      };
    }),
    check: 'kept-away',
    seed: 0,
  },
  {
    name: 'probes-in-step',
    defect: 'Probes Redis without jitter.',
    core: coreOf((parts) => {
      const { random } = Math;
      Math.random = () => 0.5;
      try {
        return createLimiter(parts);
      } finally {
        Math.random = random;
      }
    }),
    check: 'probes-spread',
    seed: 0,
  },
  {
    name: 'connects-in-step',
    defect: 'Tries to connect again at fixed times.',
    core: withClient((client) => {
      Object.defineProperty(client.options, 'retryStrategy', { get: () => () => 500, set: () => {} });
    }),
    check: 'connects-spread',
    seed: 0,
  },
  {
    name: 'first-in-step',
    defect: 'Draws its waits before it connects again, but for the first: 25 to 50 ms.',
    core: withClient((client) => {
      let isFirst = true;
      client.on('ready', () => {
        isFirst = true;
      });
      let drawnMs = client.options.retryStrategy;
      Object.defineProperty(client.options, 'retryStrategy', {
        get: () => (attempt: number) => {
          const waitMs = isFirst ? 25 + 25 * Math.random() : drawnMs(attempt);
          isFirst = false;
          return waitMs;
        },
        set: (strategy) => {
          drawnMs = strategy;
        },
      });
    }),
    check: 'connects-spread',
    seed: 26,
  },
  {
    name: 'no-deadline',
    defect: 'Waits for Redis for a second.',
    core: withBounds({ redisTimeoutMs: 1000 }),
    check: 'deadline',
    seed: 3,
  },
  {
    name: 'late-takes',
    defect: 'Sends its scripts without their deadline, so one that comes late takes tokens.',
    core: withClient((client) => {
      const evalsha = client.evalsha.bind(client);
      client.evalsha = (sha, keyCount, ...args) => evalsha(sha, keyCount, ...args.with(keyCount, '0'));
    }),
    check: 'late-takes',
    seed: 7,
  },
  {
    name: 'takes-twice',
    defect: 'Asks Redis again after 2 ms without an answer, though the first script may have taken its tokens.',
    core: withClient((client) => {
      const evalsha = client.evalsha.bind(client);
      client.evalsha = (...call) =>
        new Promise((resolve, reject) => {
          const again = setTimeout(() => evalsha(...call).then(resolve, reject), 2);
          evalsha(...call)
            .then(resolve, reject)
            .finally(() => clearTimeout(again));
        });
    }),
    check: 'ghost-takes',
    seed: 10,
  },
  {
    name: 'script-forgotten',
    defect: 'Calls its script by a hash, and loads it in its first second only.',
    core: changed(({ nowUs }) => {
      const startUs = nowUs();
      return {
        client: (client) => {
          const evaluate = client.eval.bind(client);
          client.eval = (script, keyCount, ...args) =>
            script.includes('deadlineUs') && nowUs() - startUs > 1_000_000
              ? Promise.reject(new Error('NOSCRIPT No matching script.'))
              : evaluate(script, keyCount, ...args);
          return client;
        },
      };
    }),
    check: 'settled',
    seed: 0,
  },
  {
    name: 'deaf',
    defect: 'Never notices that a connection has gone silent.',
    core: withClient((client) => {
      const evaluate = client.eval.bind(client);
      client.eval = (script, keyCount, ...args) =>
        keyCount === 0 ? Promise.resolve(args[0]) : evaluate(script, keyCount, ...args);
    }),
    check: 'settled',
    seed: 3,
  },
];
