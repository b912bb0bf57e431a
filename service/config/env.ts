// The service's settings, read from its environment. All mistakes are found in one reading.

import { lookup } from 'node:dns/promises';
import { createRequire } from 'node:module';
import { isIP } from 'node:net';
import { extname } from 'node:path';
import { createLimit } from '../core/limit.ts';
import { clipped } from '../doors/clipped.ts';
import { type DoorName, portSettings } from '../doors/door.ts';
import type { Tokens } from '../doors/json/tokens.ts';
import { type Policy, policyOfHeader } from '../doors/policy.ts';
import type { DoorPort } from '../doors/ports.ts';
import type { AddressRules } from '../doors/request-facts.ts';
import type { RlsRules } from '../doors/rls/rules.ts';
import type { RedisAddress } from '../redis/options.ts';
import { type PoliciesOptions, policiesOf } from './policies.ts';
import { isHost, redisAddressOf } from './redis-address.ts';
import { rulesOf } from './rls/rules.ts';
import type { Row } from './row.ts';
import { configRows, hostAllowed, type Values } from './rows.ts';
import { type Source, sourceNames, sourceSettings, type Written } from './source.ts';

export interface Config {
  readonly host: string;
  /** Of the doors that are open. */
  readonly ports: readonly DoorPort[];
  readonly redis: RedisAddress;
  /** All that are for a request must allow it. At least one. */
  readonly policies: readonly Policy[];
  /** Of Envoy's door. */
  readonly rules: RlsRules;
  /** Whether it tells Envoy headers for the answers of its clients. */
  readonly withRlsHeaders: boolean;
  /** Where policies and rules come from that the settings do not make by themselves, and what stands there. */
  readonly sources: readonly Source[];
  readonly written: Written;
  readonly policiesOptions: PoliciesOptions;
  /** Instances that share the limit; undefined: they are counted in Redis. */
  readonly instances: number | undefined;
  /** Processes that serve the ports. */
  readonly workers: number;
  readonly addresses: AddressRules;
  /** How long an idle connection is kept. */
  readonly keepAliveTimeoutMs: number;
  /** By which keys are hashed on their way to Redis; undefined: they are not. */
  readonly keySecret: string | undefined;
  /** Of the JSON API. */
  readonly tokens: Tokens;
  readonly redisTimeoutMs: number;
  readonly breakerFailures: number;
  readonly breakerResetMs: number;
  readonly fallbackKeysMax: number;
  readonly logLevel: string;
}

/** Every mistake in the environment, one line each. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** `readConfig`, and a name to listen on must lead somewhere: that is a mistake like the others. */
export async function readConfigAtStart(env: Readonly<Record<string, string | undefined>>): Promise<Config> {
  const host = env.HOST ?? '127.0.0.1';
  const isLost = isHost(host) && !isIP(host) && (await lookup(host).catch(() => undefined)) === undefined;
  const lost = `HOST is ${clipped(JSON.stringify(host))}, a name that leads nowhere; allowed: ${hostAllowed}`;
  try {
    const config = readConfig(env);
    if (!isLost) return config;
  } catch (error) {
    throw error instanceof ConfigError && isLost ? new ConfigError(`${lost}\n${error.message}`) : error;
  }
  throw new ConfigError(lost);
}

/**
 * Reads the settings. Throws a `ConfigError` that names every bad variable, its value unless secret, and what is allowed.
 * `known`: what the sources say, where that is known already.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>, known?: Written): Config {
  const mistakes: string[] = [];
  const values = valuesIn(env, mistakes);
  const redis = redisAddressOf(
    {
      url: values.REDIS_URL ?? undefined,
      address: values.REDIS_ADDR,
      nodes: values.REDIS_CLUSTER_ADDRS ?? [],
      sentinels: values.REDIS_SENTINEL_ADDRS ?? [],
      sentinelName: values.REDIS_SENTINEL_NAME ?? '',
      sentinelUsername: values.REDIS_SENTINEL_USERNAME || undefined,
      sentinelPassword: values.REDIS_SENTINEL_PASSWORD || undefined,
      natMap: values.REDIS_NAT_MAP ?? {},
    },
    mistakes,
  );
  const options: PoliciesOptions = {
    instances: values.INSTANCES ?? undefined,
    isCluster: redis?.kind === 'cluster',
    workers: 1,
  };
  const ports = portsIn(values, mistakes);
  const sources = sourcesIn(values);
  if (values.POLICIES_FILE) tellInsteadOfFile(env, mistakes);
  tellAlone(env, values, mistakes);
  const written = known ?? writtenIn(sources, options, mistakes);
  if (values.API_TOKEN && values.API_TOKEN === values.ADMIN_TOKEN)
    mistakes.push('API_TOKEN is the same as ADMIN_TOKEN; allowed: another, or every application were an administrator');
  if (mistakes.length > 0 || !redis) throw new ConfigError(mistakes.join('\n'));

  const valid = values as Values; // or there were mistakes
  return {
    host: valid.HOST,
    ports,
    redis,
    policies: written.policies ? policiesOf(written.policies, options) : [ofSettings(valid)],
    rules: rulesOf(written.rules ?? [], options),
    withRlsHeaders: valid.RLS_RESPONSE_HEADERS,
    sources,
    written,
    policiesOptions: options,
    instances: valid.INSTANCES ?? undefined,
    workers: valid.WORKERS,
    addresses: { trustedProxies: valid.TRUST_PROXY, ipv6Prefix: valid.IPV6_PREFIX },
    keepAliveTimeoutMs: 1000 * valid.KEEP_ALIVE_TIMEOUT_SEC,
    keySecret: valid.HASH_KEYS || undefined,
    tokens: { api: valid.API_TOKEN || undefined, admin: valid.ADMIN_TOKEN || undefined },
    redisTimeoutMs: valid.REDIS_TIMEOUT_MS,
    breakerFailures: valid.BREAKER_FAILURES,
    breakerResetMs: valid.BREAKER_RESET_MS,
    fallbackKeysMax: valid.FALLBACK_MAX_KEYS,
    logLevel: valid.LOG_LEVEL,
  };
}

/** The value of each setting; those whose text is not allowed are missing, and told in `mistakes`. */
function valuesIn(env: Readonly<Record<string, string | undefined>>, mistakes: string[]): Partial<Values> {
  const values: Record<string, unknown> = {};
  for (const { name, default: unlessSet, shape, secret, allowed } of configRows as readonly Row[]) {
    const text = env[name] ?? unlessSet;
    const { success, data } = shape.safeParse(text);
    // An address that holds a user and a password, where none belongs, is a secret too.
    const shown = secret || text.includes('@') ? 'a value that is not shown' : clipped(JSON.stringify(text));
    if (success) values[name] = data;
    else mistakes.push(`${name} is ${shown}; allowed: ${allowed}`);
  }
  return values;
}

/** Of the doors that are open; no two may have one port. */
function portsIn(values: Partial<Values>, mistakes: string[]): DoorPort[] {
  const ports: DoorPort[] = [];
  for (const [door, name] of Object.entries(portSettings) as [DoorName, (typeof portSettings)[DoorName]][]) {
    const port = values[name];
    if (!port) continue;
    const same = ports.find((other) => other.port === port);
    if (same) mistakes.push(`${name} is "${port}", the same as ${portSettings[same.door]}; allowed: another port`);
    ports.push({ door, port });
  }
  return ports;
}

/** The one policy that the settings make by themselves. */
function ofSettings(values: Values): Policy {
  const limit = createLimit({
    name: 'default',
    capacity: values.RATE_LIMIT,
    refillPerSecond: values.RATE_LIMIT / values.RATE_LIMIT_WINDOW_SEC,
    fallbackCapacity: values.RATE_LIMIT_BURST,
  });
  return policyOfHeader(limit, values.KEY_HEADER.toLowerCase() || undefined);
}

/** Settings that say what a policies file says. */
const insteadOfFile = ['RATE_LIMIT', 'RATE_LIMIT_WINDOW_SEC', 'RATE_LIMIT_BURST', 'KEY_HEADER'] as const;

function tellInsteadOfFile(env: Readonly<Record<string, string | undefined>>, mistakes: string[]): void {
  for (const name of insteadOfFile) {
    if (env[name] !== undefined)
      mistakes.push(`${name} is ${clipped(JSON.stringify(env[name]))}; allowed: not set, with POLICIES_FILE`);
  }
}

/** Settings that say nothing without another one. */
const onlyBeside = [
  ['GRPC_PORT', 'RLS_CONFIG_DIR'],
  ['RLS_CONFIG_DIR', 'GRPC_PORT'],
  ['RLS_RESPONSE_HEADERS', 'GRPC_PORT'],
] as const;

function tellAlone(
  env: Readonly<Record<string, string | undefined>>,
  values: Partial<Values>,
  mistakes: string[],
): void {
  for (const [name, other] of onlyBeside) {
    const isOtherUnset = values[other] === null || values[other] === ''; // a bad one is undefined, and told
    if (values[name] && isOtherUnset)
      mistakes.push(
        `${name} is ${clipped(JSON.stringify(env[name]))}, and ${other} is not set; allowed: only beside ${other}`,
      );
  }
}

function sourcesIn(values: Partial<Values>): Source[] {
  return sourceNames.flatMap((name) => {
    const path = values[sourceSettings[name]];
    return path ? [{ name, path }] : [];
  });
}

/** What stands in the sources; without one that has mistakes. */
function writtenIn(sources: readonly Source[], options: PoliciesOptions, mistakes: string[]): Written {
  if (sources.length === 0) return {};
  const readSource = createRequire(import.meta.url)(
    `./source-text${extname(import.meta.filename)}`,
  ) as typeof import('./source-text.ts');
  return Object.fromEntries(sources.map((source) => [source.name, readSource.readSource(source, options, mistakes)]));
}
