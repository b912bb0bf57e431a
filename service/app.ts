// The composition root: builds the parts from a configuration and starts and stops the server.

import { createServer, type Server } from 'node:http';
import { Server as NetServer } from 'node:net';
import type { Logger } from 'pino';
import { createApi, type Readiness, type Transition } from './api.ts';
import { Batcher } from './batcher.ts';
import { Breaker } from './breaker.ts';
import type { Config } from './config.ts';
import { Limiter } from './limiter.ts';
import { LocalStore } from './local-store.ts';
import { Metrics } from './metrics.ts';
import { rateLimit } from './middleware.ts';
import { RedisStore } from './redis-store.ts';
import { rehearse } from './rehearse.ts';
import { type Store, StoreError } from './store.ts';

export interface App {
  readonly server: Server;
  /** Answers what was accepted, for at most `graceMs`, then closes everything. */
  stop(graceMs: number): Promise<void>;
}

/** Takes in one script: about 0.3 ms of Redis's time. */
const batchSizeMax = 128;
/** Breaker transitions that `/readyz` tells. */
const transitionsTold = 64;

/** Builds the service and listens. Rejects when it cannot listen; Redis need not be there. */
export async function startApp(config: Config, log: Logger): Promise<App> {
  const nowUs = () => performance.now() * 1000;
  const transitions: Transition[] = [];
  await rehearse(config.fallbackPolicy, nowUs);

  const fallback = new LocalStore(config.fallbackPolicy, { keysMax: config.fallbackKeysMax, nowUs });
  const metrics = new Metrics(() => fallback.size);
  const redis = new RedisStore({
    url: config.redisUrl,
    policy: config.policy,
    timeoutMs: config.redisTimeoutMs,
    nowUs,
    keyPrefix: 'rl:',
    onConnection: (event, detail) => log.info({ redis: event, detail }, `redis connection ${event}`),
  });
  const breaker = new Breaker(measured(redis, metrics), {
    failures: config.breakerFailures,
    resetMs: config.breakerResetMs,
    probe: () => redis.probe(),
    random: Math.random,
    onTransition: (from, to) => {
      metrics.breakerMoved(from, to);
      transitions.push({ atMs: performance.timeOrigin + performance.now(), from, to });
      if (transitions.length > transitionsTold) transitions.shift();
      log.info({ from, to }, `breaker ${from} -> ${to}`);
    },
  });
  const limiter = new Limiter({ breaker, batcher: new Batcher(breaker, batchSizeMax), fallback });

  const readiness = (): Readiness => ({
    status: 'ready',
    mechanism: breaker.state === 'closed' && redis.ready ? 'redis' : 'fallback',
    breaker: { state: breaker.state, transitions },
    redis: redis.ready ? 'connected' : 'disconnected',
  });
  const policies = { redis: config.policy, fallback: config.fallbackPolicy };
  const api = createApi({
    rateLimit: rateLimit({ limiter, metrics, policies, keyHeader: config.keyHeader }),
    metrics,
    readiness,
    onError: (error) => log.error({ err: error }, 'unexpected error'),
  });

  const server = createServer(serverOptions, api);
  const closeParts = async () => {
    breaker.close();
    await redis.close();
  };
  try {
    await listening(server, config);
  } catch (error) {
    await closeParts();
    throw error;
  }
  return {
    server,
    async stop(graceMs) {
      await closeServer(server, graceMs);
      await closeParts();
    },
  };
}

const serverOptions = {
  keepAliveTimeout: 65_000, // ms; longer than the usual 60 s of a load balancer, so that it is the one to close
  requestTimeout: 30_000, // ms; a request that trickles in for longer is answered 408
  headersTimeout: 10_000, // ms
};

function listening(server: Server, { host, port }: Config): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: 4096 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Every answer is timed; every call that fails, and every take that fails for its key alone, is counted once. */
function measured(store: Store, metrics: Metrics): Store {
  return {
    async takeMany(takes) {
      const startMs = performance.now();
      try {
        const outcomes = await store.takeMany(takes);
        metrics.storeAnswered((performance.now() - startMs) / 1000);
        for (const outcome of outcomes) if (outcome instanceof StoreError) metrics.storeFailed(outcome.reason);
        return outcomes;
      } catch (error) {
        if (error instanceof StoreError) metrics.storeFailed(error.reason);
        throw error;
      }
    },
  };
}

/**
 * Stops accepting connections and answers what arrives on the open ones, telling their clients to close, until none is
 * left. Idle ones get `quietMs` for a request that is already under way.
 */
async function closeServer(server: Server, graceMs: number): Promise<void> {
  const quietMs = 500;
  server.prependListener('request', (_request, response) => response.setHeader('Connection', 'close'));
  // net's close only stops accepting; http's would cut idle connections at once, and with them what is under way.
  const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()));
  const quiet = setTimeout(() => server.closeIdleConnections(), quietMs);
  const repeat = setInterval(() => server.closeIdleConnections(), 2 * quietMs);
  const force = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(quiet);
  clearInterval(repeat);
  clearTimeout(force);
}
