// The service's settings, read from its environment. All mistakes are found in one reading.

import { lookup } from 'node:dns/promises';
import { createRequire } from 'node:module';
import { isIP } from 'node:net';
import { createLimit } from '../core/limit.ts';
import type { Tokens } from '../doors/json/tokens.ts';
import { type Policy, policyOfHeader } from '../doors/policy.ts';
import type { AddressRules } from '../doors/request-facts.ts';
import type { RedisAddress } from '../redis/options.ts';
import { type PoliciesOptions, policiesOf } from './policies.ts';
import type { WrittenPolicy } from './policies-shape.ts';
import { isHost, redisAddressOf } from './redis-address.ts';
import { configRows, hostAllowed, type Row, type Values } from './rows.ts';

export interface Config {
  readonly host: string;
  readonly port: number;
  readonly redis: RedisAddress;
  /** All that are for a request must allow it. At least one. */
  readonly policies: readonly Policy[];
  /** Where they come from, and what it says; undefined where the settings make the only one. */
  readonly policiesFile: { readonly path: string; readonly written: readonly WrittenPolicy[] } | undefined;
  readonly policiesOptions: PoliciesOptions;
  /** Instances that share the limit; undefined: they are counted in Redis. */
  readonly instances: number | undefined;
  /** Processes that serve the port. */
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
  const lost = `HOST is ${JSON.stringify(host)}, a name that leads nowhere; allowed: ${hostAllowed}`;
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
 * `written`: what the policies file says, where that is known already.
 */
export function readConfig(
  env: Readonly<Record<string, string | undefined>>,
  written?: readonly WrittenPolicy[],
): Config {
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
  const path = values.POLICIES_FILE;
  if (path) tellInsteadOfFile(env, mistakes);
  const inFile = path ? (written ?? policiesText().readPolicies(path, options, mistakes)) : undefined;
  if (values.API_TOKEN && values.API_TOKEN === values.ADMIN_TOKEN)
    mistakes.push('API_TOKEN is the same as ADMIN_TOKEN; allowed: another, or every application were an administrator');
  if (mistakes.length > 0 || !redis) throw new ConfigError(mistakes.join('\n'));

  const valid = values as Values; // or there were mistakes
  return {
    host: valid.HOST,
    port: valid.PORT,
    redis,
    policies: inFile ? policiesOf(inFile, options) : [ofSettings(valid)],
    policiesFile: path && inFile ? { path, written: inFile } : undefined,
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

/** What each row makes of its text; those that are not allowed are missing, and told in `mistakes`. */
function valuesIn(env: Readonly<Record<string, string | undefined>>, mistakes: string[]): Partial<Values> {
  const values: Record<string, unknown> = {};
  for (const row of configRows as readonly Row[]) {
    const text = env[row.name] ?? row.default;
    const value = row.parse(text);
    // An address that holds a user and a password, where none belongs, is a secret too.
    const shown = row.secret || text.includes('@') ? 'a value that is not shown' : JSON.stringify(text);
    if (value === undefined) mistakes.push(`${row.name} is ${shown}; allowed: ${row.allowed}`);
    else values[row.name] = value;
  }
  return values;
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
      mistakes.push(`${name} is ${JSON.stringify(env[name])}; allowed: not set, with POLICIES_FILE`);
  }
}

/** Loaded where there is a file: without one, a start need not wait for the readers of YAML and of schemas. */
const policiesText = () => createRequire(import.meta.url)('./policies-text.ts') as typeof import('./policies-text.ts');
