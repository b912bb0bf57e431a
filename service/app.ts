// The composition root: builds the parts from a configuration and starts and stops the server.

import type { Server } from 'node:http';
import type { Logger } from 'pino';
import type { Config } from './config/env.ts';
import { policiesOf } from './config/policies.ts';
import type { WrittenPolicy } from './config/policies-shape.ts';
import { Buckets } from './core/buckets.ts';
import type { ForgivenDebt } from './core/give-back.ts';
import { Limiter } from './core/limiter.ts';
import { LocalStore } from './core/local-store.ts';
import { createApi } from './doors/http.ts';
import { Intake } from './doors/intake.ts';
import { createJsonDoor } from './doors/json/door.ts';
import { routesOf } from './doors/json/routes.ts';
import { KeyHash } from './doors/key-hash.ts';
import { listen } from './doors/listen.ts';
import { createGate } from './doors/middleware.ts';
import type { Policy } from './doors/policy.ts';
import { type Readiness, type Transition, worstOf } from './doors/readiness.ts';
import { createHttpServer } from './doors/server.ts';
import type { LogOutput } from './log-output.ts';
import { Metrics } from './metrics/metrics.ts';
import type { PolicyNames } from './metrics/policy-metrics.ts';
import type { Reloads } from './metrics/reload-metrics.ts';
import { RefusedKeys, type TopKeys } from './metrics/top-keys.ts';
import { connect } from './redis/connect.ts';
import { Instances } from './redis/instances.ts';
import { secretsOf } from './redis/options.ts';
import { Outages, toLog } from './redis/outages.ts';
import { warmUp } from './redis/warm-up.ts';
import type { PrimaryClient } from './workers/worker.ts';

export interface App {
  readonly server: Server;
  /** Of this process alone. */
  readonly metrics: Metrics;
  /** Of this process alone. */
  readonly readiness: () => Readiness;
  /** Decides by these from the next request on. */
  readonly setPolicies: (written: readonly WrittenPolicy[]) => void;
  /** Whose requests are refused most, of this process alone. */
  readonly top: () => TopKeys;
  /** Follows what another process beside this one has given back. */
  readonly forgive: (debts: readonly ForgivenDebt[]) => Promise<void>;
  /** Answers what was accepted, for at most `graceMs`, then closes everything. */
  readonly stop: (graceMs: number) => Promise<void>;
}

/** What is told of what is not this service's own. */
export interface Sources {
  readonly output: LogOutput;
  /** Of the policies file, where this process reads one. */
  readonly reloads?: (() => Reloads) | undefined;
}

/** Breaker transitions that `/readyz` tells. */
const transitionsMax = 64;

/** Builds the service and listens. Rejects when it cannot listen; Redis need not be there. */
export async function startApp(config: Config, log: Logger, sources: Sources): Promise<App> {
  const app = await createService(config, log, sources);
  try {
    await listen(app.server, config);
  } catch (error) {
    await app.stop(0);
    throw error;
  }
  return app;
}

/** Builds the service without listening: connections are whatever the server is given. */
export async function createService(
  config: Config,
  log: Logger,
  { output, reloads }: Sources,
  primary?: PrimaryClient,
): Promise<App> {
  const nowUs = () => performance.now() * 1000;
  const transitions: Transition[] = [];
  let { policies } = config;
  const limits = policies.flatMap((policy) => policy.limits).slice(0, 1); // enough to warm up
  await warmUp(limits, nowUs);

  const fallback = new LocalStore({ keysMax: config.fallbackKeysMax, nowUs });
  const breakerStates = () => topology.shards.map(({ breaker }) => breaker.state);
  const logLinesDropped = () => output.dropped;
  const metrics = new Metrics({
    fallbackKeys: () => fallback.size,
    breakerStates,
    policies: namesOf(policies),
    logLinesDropped,
    reloads,
  });
  const report = primary && (() => primary.onOutages(outages.all));
  const outages: Outages = new Outages({
    secrets: secretsOf(config.redis),
    nowUs,
    ...(report ? { onCause: report, onEnd: report } : toLog(log)),
  });
  const keyHash = config.keySecret === undefined ? undefined : new KeyHash(config.keySecret);
  const hashKey = keyHash && ((key: string) => keyHash.of(key));
  const topology = connect(config.redis, {
    ...(hashKey ? { hashKey } : {}),
    timeoutMs: config.redisTimeoutMs,
    nowUs,
    breakerFailures: config.breakerFailures,
    breakerResetMs: config.breakerResetMs,
    keysMax: config.fallbackKeysMax,
    onConnection: (shard, cause) => (cause === 'gone' ? outages.forget(shard) : outages.set(shard, cause)),
    onAnswer: (seconds) => metrics.storeAnswered(seconds),
    onError: (reason) => metrics.storeFailed(reason),
    onTransition: (shard, from, to, why) => {
      metrics.breakerMoved(from, to);
      transitions.push({ atMs: unixMs(), shard, from, to });
      if (transitions.length > transitionsMax) transitions.shift();
      log.info({ shard, from, to }, `breaker ${from} -> ${to}`);
      if (why) outages.set(shard, why);
      if (to === 'closed') outages.set(shard, undefined);
    },
  });
  const refusedKeys = new RefusedKeys(nowUs);
  const limiter = new Limiter({
    topology,
    fallback,
    nowUs,
    onDecision(decision, seconds, take) {
      if (take.shadowOf !== undefined) return metrics.policies.shadowDecided(take.shadowOf, decision);
      metrics.decided(decision, seconds);
      if (!decision.allowed && decision.mechanism !== 'closed') refusedKeys.refused(take, decision);
    },
  });
  const buckets = new Buckets({ topology, fallback, limiter, onForgiven: primary?.onForgiven ?? (async () => {}) });
  const top = () => refusedKeys.all();
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
    const causes = outages.all;
    const connected = topology.shards.length > 0 && topology.shards.every(({ store }) => store.ready);
    return {
      status: 'ready',
      mechanism: connected && causes.length === 0 && states.every((state) => state === 'closed') ? 'redis' : 'fallback',
      breaker: { state: worstOf(states), nowMs: unixMs(), transitions },
      redis: connected ? 'connected' : 'disconnected',
      causes,
      instances: fallback.instances,
    };
  };
  const intake = new Intake();
  const onDefect = (error: unknown) => log.error({ err: error }, 'unexpected error');
  const { tokens } = config;
  const api = createApi({
    intake,
    json: createJsonDoor({
      routes: routesOf({
        limiter,
        buckets,
        policies: () => policies,
        ipv6Prefix: config.addresses.ipv6Prefix,
        top: primary?.top ?? (async () => top()),
        hashKey,
        tokens,
      }),
      tokens,
      onDefect,
    }),
    gate: createGate({
      limiter,
      policies: () => policies,
      addresses: config.addresses,
      onMistake: (policy) => metrics.policies.mistaken(policy),
      onDefect,
    }),
    page: primary?.page ?? (() => metrics.page()),
    pageContentType: metrics.contentType,
    readiness: primary?.readiness ?? readiness,
    onError: onDefect,
  });

  const { server, close } = createHttpServer(config, api);
  intake.guard(server);
  return {
    server,
    metrics,
    readiness,
    setPolicies(written) {
      policies = policiesOf(written, config.policiesOptions);
      fallback.limits = policies.flatMap(({ limits, candidate }) => [...limits, ...candidate]);
      metrics.policies.names = namesOf(policies);
    },
    top,
    forgive: (debts) => buckets.forgive(debts),
    async stop(graceMs) {
      await close(graceMs);
      instances.stop();
      topology.close();
    },
  };
}

function namesOf(policies: readonly Policy[]): PolicyNames {
  const names = (some: readonly Policy[]) => some.map(({ name }) => name);
  return {
    all: names(policies),
    shadow: names(policies.filter(({ isShadow, candidate }) => isShadow || candidate.length > 0)),
  };
}

/** Never goes back, and so does not follow a clock that is set, nor one that went on while the machine slept. */
function unixMs(): number {
  return performance.timeOrigin + performance.now();
}
