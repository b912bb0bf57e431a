// The composition root of the service: puts its doors before an engine, opens their ports, and stops it all.

import type { Logger } from 'pino';
import type { Config } from './config/env.ts';
import { policiesOf } from './config/policies.ts';
import { rulesOf } from './config/rls/rules.ts';
import type { Written } from './config/source.ts';
import type { ForgivenDebt } from './core/give-back.ts';
import type { Limit } from './core/limit.ts';
import type { Arrival } from './doors/door.ts';
import { KeyHash } from './doors/key-hash.ts';
import type { Policy } from './doors/policy.ts';
import { Ports } from './doors/ports.ts';
import type { Readiness } from './doors/readiness.ts';
import { rlsPolicy } from './doors/rls/rules.ts';
import { sharedAnswer } from './doors/shared-answer.ts';
import { Engine } from './engine.ts';
import type { LogOutput } from './log-output.ts';
import { Metrics } from './metrics/metrics.ts';
import type { PolicyNames } from './metrics/policy-metrics.ts';
import type { Reloaded } from './metrics/reload-metrics.ts';
import { RefusedKeys, type TopKeys } from './metrics/top-keys.ts';
import { openDoors } from './open-doors.ts';
import { toLog } from './redis/outages.ts';
import { warmUp } from './redis/warm-up.ts';
import { warmUpDoors } from './warm-doors.ts';
import type { PrimaryClient } from './workers/worker.ts';

export interface App {
  /** Takes a connection that came to the port of one of the doors. */
  readonly accept: (arrival: Arrival) => void;
  /** Of this process alone. */
  readonly metrics: Metrics;
  /** Of this process alone. */
  readonly readiness: () => Readiness;
  /** Decides by what is new from the next request on. */
  readonly setWritten: (news: Written) => void;
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
  /** What this process reads again. */
  readonly reloaded?: readonly Reloaded[];
}

/** Builds the service and listens. Rejects when it cannot listen; Redis need not be there. */
export async function startApp(config: Config, log: Logger, sources: Sources): Promise<App> {
  const app = await createService(config, log, sources);
  const ports = new Ports({ onConnection: app.accept });
  try {
    await ports.open(config);
  } catch (error) {
    await app.stop(0);
    throw error;
  }
  return {
    ...app,
    stop(graceMs) {
      ports.close();
      return app.stop(graceMs);
    },
  };
}

/** Builds the service without listening: connections are whatever it is given. */
export async function createService(
  config: Config,
  log: Logger,
  { output, reloaded = [] }: Sources,
  primary?: PrimaryClient,
): Promise<App> {
  const nowUs = () => performance.now() * 1000;
  let { policies, rules } = config;
  const limits = policies.flatMap((policy) => policy.limits).slice(0, 1); // enough to warm up
  const keyHash = config.keySecret === undefined ? undefined : new KeyHash(config.keySecret);
  const hashKey = keyHash && ((key: string) => keyHash.of(key));
  await warmUp(limits, nowUs);
  await warmUpDoors({ ...config, hashKey }, nowUs);
  const hasRls = config.ports.some(({ door }) => door === 'grpc');

  const metrics = new Metrics({
    fallbackKeys: () => engine.fallbackKeys,
    breakerStates: () => engine.breakerStates,
    policies: namesOf(policies, hasRls),
    logLinesDropped: () => output.dropped,
    reloaded,
  });
  const report = primary && (() => primary.onOutages(engine.causes));
  const refusedKeys = new RefusedKeys(nowUs);
  const engine: Engine = new Engine(
    { ...config, hashKey },
    {
      onDecision(decision, seconds, take) {
        if (take.shadowOf !== undefined) return metrics.policies.shadowDecided(take.shadowOf, decision);
        metrics.engine.decided(decision, seconds);
        if (!decision.allowed && decision.mechanism !== 'closed') refusedKeys.refused(take, decision);
      },
      onStoreAnswer: (seconds) => metrics.engine.storeAnswered(seconds),
      onStoreError: (reason) => metrics.engine.storeFailed(reason),
      onBreaker(shard, from, to) {
        metrics.engine.breakerMoved(from, to);
        log.info({ shard, from, to }, `breaker ${from} -> ${to}`);
      },
      ...(report ? { onCause: report, onEnd: report } : toLog(log)),
      onInstances: (count) => log.info({ instances: count }, `instances that share the limit: ${count}`),
      onForgiven: primary?.onForgiven ?? (async () => {}),
    },
    nowUs,
  );
  const { limiter, buckets } = engine;
  const readiness = () => engine.readiness();
  const top = () => refusedKeys.all();
  const doors = await openDoors(config, {
    limiter,
    buckets,
    hashKey,
    policies: () => policies,
    rules: () => rules,
    top: primary?.top ?? (async () => top()),
    page: sharedAnswer(primary?.page ?? (() => metrics.page())), // many scrapers at once would stop all else for long
    pageContentType: metrics.contentType,
    readiness: primary?.readiness ?? readiness,
    onMistake: (policy) => metrics.policies.mistaken(policy),
    onDefect: (error) => log.error({ err: error }, 'unexpected error'),
  });
  return {
    accept({ door, socket }) {
      doors.get(door)?.accept(socket);
    },
    metrics,
    readiness,
    setWritten(news) {
      if (news.rules) rules = rulesOf(news.rules, config.policiesOptions);
      if (!news.policies) return;
      const before = limitsOf(policies);
      policies = policiesOf(news.policies, config.policiesOptions);
      const now = new Set(limitsOf(policies).map(({ prefix }) => prefix));
      engine.forgetLimits(before.filter(({ prefix }) => !now.has(prefix)));
      metrics.policies.names = namesOf(policies, hasRls);
    },
    top,
    forgive: (debts) => buckets.forgive(debts),
    async stop(graceMs) {
      await Promise.all([...doors.values()].map((door) => door.close(graceMs)));
      engine.close();
    },
  };
}

function limitsOf(policies: readonly Policy[]): readonly Limit[] {
  return policies.flatMap(({ limits, candidate }) => [...limits, ...candidate]);
}

function namesOf(policies: readonly Policy[], hasRls: boolean): PolicyNames {
  const names = (some: readonly Policy[]) => [...some.map(({ name }) => name), ...(hasRls ? [rlsPolicy] : [])];
  return {
    all: names(policies),
    shadow: names(policies.filter(({ isShadow, candidate }) => isShadow || candidate.length > 0)),
  };
}
