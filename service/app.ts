// The composition root: builds the parts from a configuration and starts and stops the server.

import { createServer, type Server } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import type { Logger } from 'pino';
import type { Config } from './config/env.ts';
import { Limiter } from './core/limiter.ts';
import { LocalStore } from './core/local-store.ts';
import type { Mechanism } from './core/store.ts';
import { createApi } from './doors/http.ts';
import { createGate } from './doors/middleware.ts';
import { type Readiness, type Transition, worstOf } from './doors/readiness.ts';
import { Metrics } from './metrics/metrics.ts';
import { connect } from './redis/connect.ts';
import { Instances } from './redis/instances.ts';
import { rehearse } from './redis/rehearse.ts';

export interface App {
  readonly server: Server;
  /** Of this process alone. */
  readonly metrics: Metrics;
  /** Of this process alone. */
  readonly readiness: () => Readiness;
  /** Answers what was accepted, for at most `graceMs`, then closes everything. */
  readonly stop: (graceMs: number) => Promise<void>;
}

/** Who speaks for the whole service when it is more than this process. */
export interface Spokesman {
  readonly page: () => Promise<string>;
  readonly readiness: () => Promise<Readiness>;
}

/** Breaker transitions that `/readyz` tells. */
const transitionsTold = 64;

/** Builds the service and listens. Rejects when it cannot listen; Redis need not be there. */
export async function startApp(config: Config, log: Logger): Promise<App> {
  const app = await createService(config, log);
  try {
    await listening(app.server, config);
  } catch (error) {
    await app.stop(0);
    throw error;
  }
  return app;
}

/** Builds the service without listening: connections are whatever the server is given. */
export async function createService(config: Config, log: Logger, spokesman?: Spokesman): Promise<App> {
  const nowUs = () => performance.now() * 1000;
  const transitions: Transition[] = [];
  await rehearse(config.fallbackPolicy, nowUs);

  const fallback = new LocalStore(config.fallbackPolicy, { keysMax: config.fallbackKeysMax, nowUs });
  const breakerStates = () => topology.shards.map(({ breaker }) => breaker.state);
  const metrics = new Metrics({ fallbackKeys: () => fallback.size, breakerStates });
  const topology = connect(config.redis, {
    policy: config.policy,
    timeoutMs: config.redisTimeoutMs,
    nowUs,
    breakerFailures: config.breakerFailures,
    breakerResetMs: config.breakerResetMs,
    keysMax: config.fallbackKeysMax,
    onConnection: (event, detail) => log.info({ redis: event, detail }, `redis connection ${event}`),
    onAnswer: (seconds) => metrics.storeAnswered(seconds),
    onError: (reason) => metrics.storeFailed(reason),
    onTransition: (shard, from, to) => {
      metrics.breakerMoved(from, to);
      transitions.push({ atMs: unixMs(), shard, from, to });
      if (transitions.length > transitionsTold) transitions.shift();
      log.info({ shard, from, to }, `breaker ${from} -> ${to}`);
    },
  });
  const limiter = new Limiter({ topology, fallback, nowUs });
  const instances = new Instances({
    nowUs,
    onCount: (count) => {
      fallback.instances = count;
      log.info({ instances: count }, `instances that share the limit: ${count}`);
    },
  });
  if (config.instances === undefined) instances.start(topology.client);
  else fallback.instances = config.instances;

  const readiness = (): Readiness => {
    const states = breakerStates();
    const connected = topology.shards.length > 0 && topology.shards.every(({ store }) => store.ready);
    return {
      status: 'ready',
      mechanism: connected && states.every((state) => state === 'closed') ? 'redis' : 'fallback',
      breaker: { state: worstOf(states), nowMs: unixMs(), transitions },
      redis: connected ? 'connected' : 'disconnected',
      instances: fallback.instances,
    };
  };
  const policyOf = (mechanism: Mechanism) => (mechanism === 'redis' ? config.policy : fallback.policy);
  const api = createApi({
    gate: createGate({ limiter, metrics, policyOf, keyHeader: config.keyHeader }),
    page: spokesman?.page ?? (() => metrics.page()),
    pageContentType: metrics.contentType,
    readiness: spokesman?.readiness ?? readiness,
    onError: (error) => log.error({ err: error }, 'unexpected error'),
  });

  const server = createServer(serverOptions, api);
  const connections = new Set<Socket>();
  server.on('connection', (socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  return {
    server,
    metrics,
    readiness,
    async stop(graceMs) {
      await closeServer(server, connections, graceMs);
      instances.stop();
      topology.close();
    },
  };
}

/** Never goes back, and so does not follow a clock that is set, nor one that went on while the machine slept. */
function unixMs(): number {
  return performance.timeOrigin + performance.now();
}

/** Connections that may wait to be accepted. */
export const acceptBacklog = 4096;

const serverOptions = {
  keepAliveTimeout: 65_000, // ms; longer than the usual 60 s of a load balancer, so that it is the one to close
  requestTimeout: 30_000, // ms; a request that trickles in for longer is answered 408
  headersTimeout: 10_000, // ms
  optimizeEmptyRequests: true, // no stream for a body that is not there: 7 % less work per request
};

function listening(server: Server, { host, port }: Config): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: acceptBacklog }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/**
 * Stops accepting connections and answers what arrives on the open ones, telling their clients to close, until none is
 * left. Idle ones get `quietMs` for a request that is already under way.
 */
async function closeServer(server: Server, connections: ReadonlySet<Socket>, graceMs: number): Promise<void> {
  const quietMs = 500;
  server.prependListener('request', (_request, response) => response.setHeader('Connection', 'close'));
  // net's close only stops accepting; http's would cut idle connections at once, and with them what is under way.
  NetServer.prototype.close.call(server);
  const closed = Promise.all([...connections].map((socket) => new Promise((resolve) => socket.once('close', resolve))));
  const quiet = setTimeout(() => server.closeIdleConnections(), quietMs);
  const repeat = setInterval(() => server.closeIdleConnections(), 2 * quietMs);
  const force = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(quiet);
  clearInterval(repeat);
  clearTimeout(force);
}
