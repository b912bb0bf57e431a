import { describe, expect, it } from 'vitest';
import { ConfigError, configRows, readConfig } from '../../../service/config/env.ts';

/** The lines of the `ConfigError` that reading `env` throws. */
function mistakesOf(env: Record<string, string>): string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
  return [];
}

describe('readConfig', () => {
  it('has a default for everything', () => {
    expect(readConfig({})).toEqual({
      host: '127.0.0.1',
      port: 8080,
      redis: {
        kind: 'single',
        host: 'localhost',
        port: 6379,
        username: undefined,
        password: undefined,
        tls: false,
        db: 0,
      },
      policy: { name: 'default', capacity: 5, refillPerSecond: 0.5 },
      fallbackPolicy: { name: 'default', capacity: 5, refillPerSecond: 0.5 },
      instances: undefined,
      workers: 1,
      keyHeader: undefined,
      redisTimeoutMs: 5,
      breakerFailures: 3,
      breakerResetMs: 1000,
      fallbackKeysMax: 100_000,
      logLevel: 'info',
    });
  });

  it('reads everything', () => {
    expect(
      readConfig({
        HOST: '0.0.0.0',
        PORT: '1',
        REDIS_ADDR: 'redis-1:7000',
        RATE_LIMIT: '100',
        RATE_LIMIT_WINDOW_SEC: '20',
        RATE_LIMIT_BURST: '7',
        INSTANCES: '5',
        WORKERS: '2',
        KEY_HEADER: 'X-Api-Key',
        REDIS_TIMEOUT_MS: '9',
        BREAKER_FAILURES: '1',
        BREAKER_RESET_MS: '10',
        FALLBACK_MAX_KEYS: '2',
        LOG_LEVEL: 'debug',
      }),
    ).toEqual({
      host: '0.0.0.0',
      port: 1,
      redis: {
        kind: 'single',
        host: 'redis-1',
        port: 7000,
        username: undefined,
        password: undefined,
        tls: false,
        db: 0,
      },
      policy: { name: 'default', capacity: 100, refillPerSecond: 5 },
      fallbackPolicy: { name: 'default', capacity: 7, refillPerSecond: 5 },
      instances: 5,
      workers: 2,
      keyHeader: 'x-api-key',
      redisTimeoutMs: 9,
      breakerFailures: 1,
      breakerResetMs: 10,
      fallbackKeysMax: 2,
      logLevel: 'debug',
    });
  });

  it('prefers REDIS_URL to REDIS_ADDR', () => {
    const url = 'rediss://user:p%40ss@redis.example:6380/2';
    expect(readConfig({ REDIS_URL: url, REDIS_ADDR: 'other:1' }).redis).toEqual({
      kind: 'single',
      host: 'redis.example',
      port: 6380,
      username: 'user',
      password: 'p@ss',
      tls: true,
      db: 2,
    });
  });

  it('takes Sentinel and Cluster for the place, and REDIS_URL for the credentials', () => {
    const url = 'rediss://user:secret@ignored';
    const credentials = { username: 'user', password: 'secret', tls: true };
    const nodes = [
      { host: 'a', port: 1 },
      { host: '::1', port: 2 },
    ];
    expect([
      readConfig({ REDIS_URL: url, REDIS_CLUSTER_ADDRS: 'a:1, [::1]:2' }).redis,
      readConfig({ REDIS_URL: `${url}/3`, REDIS_SENTINEL_ADDRS: 'a:1,[::1]:2', REDIS_SENTINEL_NAME: 'main' }).redis,
    ]).toMatchObject([
      { kind: 'cluster', nodes, ...credentials },
      { kind: 'sentinel', sentinels: nodes, name: 'main', db: 3, ...credentials },
    ]);
  });

  it('names variables that contradict each other', () => {
    expect([
      ...mistakesOf({ REDIS_CLUSTER_ADDRS: 'a:1', REDIS_SENTINEL_ADDRS: 'a:1', REDIS_SENTINEL_NAME: 'main' }),
      ...mistakesOf({ REDIS_SENTINEL_ADDRS: 'a:1' }),
      ...mistakesOf({ REDIS_SENTINEL_NAME: 'main' }),
      ...mistakesOf({ REDIS_CLUSTER_ADDRS: 'a:1', REDIS_URL: 'redis://a/2' }),
    ]).toEqual([
      'REDIS_CLUSTER_ADDRS and REDIS_SENTINEL_ADDRS are both set; allowed: one of them',
      'REDIS_SENTINEL_NAME is not set; allowed: both REDIS_SENTINEL_ADDRS and REDIS_SENTINEL_NAME, or neither',
      'REDIS_SENTINEL_ADDRS is not set; allowed: both REDIS_SENTINEL_ADDRS and REDIS_SENTINEL_NAME, or neither',
      'REDIS_URL names database 2; allowed with REDIS_CLUSTER_ADDRS: 0, a cluster has no other',
    ]);
  });

  it('ignores what it does not know', () => {
    expect(readConfig({ PATH: '/bin', REDIS: 'x' })).toEqual(readConfig({}));
  });

  it('names every mistake at once, with the value and what is allowed', () => {
    expect(
      mistakesOf({ PORT: '0', RATE_LIMIT: 'many', KEY_HEADER: 'a b', LOG_LEVEL: 'loud', BREAKER_FAILURES: '3' }),
    ).toEqual([
      'PORT is "0"; allowed: a whole number from 1 to 65535',
      'RATE_LIMIT is "many"; allowed: a whole number from 1 to 1000000',
      'KEY_HEADER is "a b"; allowed: nothing, or a header name',
      'LOG_LEVEL is "loud"; allowed: one of silent, error, warn, info, debug',
    ]);
  });

  it('keeps a mistake on one line, whatever the value holds', () => {
    expect(mistakesOf({ PORT: '1\nHOST is fine' })).toEqual([
      'PORT is "1\\nHOST is fine"; allowed: a whole number from 1 to 65535',
    ]);
  });

  it('does not show a secret', () => {
    const lines = mistakesOf({ REDIS_URL: 'http://alice:hunter2@redis', PORT: 'x' });
    expect(lines.map((line) => line.split(' is ')[0])).toEqual(['PORT', 'REDIS_URL']);
    expect(lines.join('\n')).not.toMatch(/hunter2|alice|http/);
  });
});

/** For each variable, values that must be refused; a variable without any fails the test below. */
const refused: Record<string, readonly string[]> = {
  HOST: ['', 'a b', 'http://x', '127.0.0.1/8'],
  PORT: ['', '0', '65536', '-1', '80.5', '8e3', '0x50', ' 80', 'http'],
  REDIS_ADDR: [
    '',
    'localhost',
    ':6379',
    'localhost:',
    'a b:6379',
    'redis://localhost:6379',
    'localhost:0',
    'localhost:65536',
    'localhost:99999',
  ],
  REDIS_URL: [
    'localhost:6379',
    'http://localhost',
    'redis://',
    'redis:localhost',
    'redis://localhost:99999',
    'redis://localhost/zero',
    'redis://localhost/-1',
    'redis://user:100%@localhost',
  ],
  RATE_LIMIT: ['', '0', '-1', '1.5', 'many', '1000001', 'Infinity', 'NaN'],
  RATE_LIMIT_WINDOW_SEC: ['', '0', '86401', '1m'],
  RATE_LIMIT_BURST: ['', '0', '1000001', 'x'],
  REDIS_CLUSTER_ADDRS: ['a', 'a:1,', 'a:1;b:2', 'redis://a:1', 'a:1,b:99999'],
  REDIS_SENTINEL_ADDRS: ['a', ',a:1', 'a:0'],
  REDIS_SENTINEL_NAME: ['my master', ' '],
  INSTANCES: ['0', '10001', '2.5'],
  WORKERS: ['', '0', '257', 'all'],
  KEY_HEADER: ['a b', 'x:', 'näme', 'a\nb', '"x"'],
  REDIS_TIMEOUT_MS: ['', '0', '60001', '5ms', '0.5'],
  BREAKER_FAILURES: ['', '0', '1001', 'three'],
  BREAKER_RESET_MS: ['', '9', '600001', '1s'],
  FALLBACK_MAX_KEYS: ['', '0', '10000001', '1e5'],
  LOG_LEVEL: ['', 'loud', 'INFO', 'toString'],
};

describe('each variable', () => {
  it.each(configRows.map(({ name }) => name))('%s accepts its own default and refuses what makes no sense', (name) => {
    const row = configRows.find((it) => it.name === name);
    expect(mistakesOf({ [name]: row?.default ?? '' })).toEqual([]);
    const values = refused[name] ?? [];
    expect(values.length).toBeGreaterThan(0);
    const accepted = values.filter((value) => mistakesOf({ [name]: value }).length !== 1);
    expect(accepted).toEqual([]);
  });

  it('REDIS_ADDR takes an IPv6 address in brackets', () => {
    expect(readConfig({ REDIS_ADDR: '[::1]:6379' }).redis).toMatchObject({ host: '::1', port: 6379 });
  });
});
