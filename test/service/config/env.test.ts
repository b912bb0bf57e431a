import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig, readConfigAtStart } from '../../../service/config/env.ts';
import { configRows } from '../../../service/config/rows.ts';
import { exampleRules } from '../../support/rls-rules.ts';
import { limitOf } from '../../support/takes.ts';

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
      ports: [{ door: 'http', port: 8080 }],
      redis: {
        kind: 'single',
        host: 'localhost',
        port: 6379,
        username: undefined,
        password: undefined,
        tls: false,
        db: 0,
      },
      policies: [
        {
          name: 'default',
          limits: [limitOf(5, 0.5)],
          match: {},
          cost: 1,
          candidate: [],
          isShadow: false,
          keyOf: expect.any(Function),
        },
      ],
      rules: new Map(),
      withRlsHeaders: false,
      sources: [],
      written: {},
      policiesOptions: { instances: undefined, isCluster: false, workers: 1 },
      instances: undefined,
      workers: 1,
      addresses: { trustedProxies: { hops: 0 }, ipv6Prefix: 56 },
      tokens: { api: undefined, admin: undefined },
      keepAliveTimeoutMs: 65_000,
      redisTimeoutMs: 5,
      breakerFailures: 3,
      breakerResetMs: 1000,
      fallbackKeysMax: 100_000,
      logLevel: 'info',
    });
  });

  it('reads everything', () => {
    expect(
      readConfig(
        {
          HOST: '0.0.0.0',
          PORT: '1',
          RESP_PORT: '2',
          GRPC_PORT: '3',
          RLS_CONFIG_DIR: '/rules',
          RLS_RESPONSE_HEADERS: 'on',
          REDIS_ADDR: 'redis-1:7000',
          RATE_LIMIT: '100',
          TRUST_PROXY: '2',
          IPV6_PREFIX: '64',
          RATE_LIMIT_WINDOW_SEC: '20',
          RATE_LIMIT_BURST: '7',
          INSTANCES: '5',
          WORKERS: '2',
          KEY_HEADER: 'X-Api-Key',
          API_TOKEN: 'a-token',
          ADMIN_TOKEN: 'AZaz09-._~+/==',
          HASH_KEYS: '16 characters...',
          KEEP_ALIVE_TIMEOUT_SEC: '600',
          REDIS_TIMEOUT_MS: '9',
          BREAKER_FAILURES: '1',
          BREAKER_RESET_MS: '10',
          FALLBACK_MAX_KEYS: '2',
          LOG_LEVEL: 'debug',
        },
        { rules: [] },
      ),
    ).toEqual({
      host: '0.0.0.0',
      ports: [
        { door: 'http', port: 1 },
        { door: 'resp', port: 2 },
        { door: 'grpc', port: 3 },
      ],
      redis: {
        kind: 'single',
        host: 'redis-1',
        port: 7000,
        username: undefined,
        password: undefined,
        tls: false,
        db: 0,
      },
      policies: [
        {
          name: 'default',
          limits: [limitOf(100, 5, 7)],
          match: {},
          cost: 1,
          candidate: [],
          isShadow: false,
          keyOf: expect.any(Function),
        },
      ],
      rules: new Map(),
      withRlsHeaders: true,
      sources: [{ name: 'rules', path: '/rules' }],
      written: { rules: [] },
      policiesOptions: { instances: 5, isCluster: false, workers: 1 },
      instances: 5,
      workers: 2,
      addresses: { trustedProxies: { hops: 2 }, ipv6Prefix: 64 },
      keepAliveTimeoutMs: 600_000,
      keySecret: '16 characters...',
      tokens: { api: 'a-token', admin: 'AZaz09-._~+/==' },
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

  it.each([
    ['redis+unix:///run/redis.sock', { path: '/run/redis.sock', db: 0 }],
    ['unix:///run/my%20redis.sock?db=3', { path: '/run/my redis.sock', db: 3 }],
    ['redis+unix://user:p%40ss@/run/redis.sock?db=0', { username: 'user', password: 'p@ss', path: '/run/redis.sock' }],
    ['unix://:secret@/run/redis.sock', { username: undefined, password: 'secret', path: '/run/redis.sock' }],
  ])('takes %s for a Unix socket', (url, expected) => {
    expect(readConfig({ REDIS_URL: url }).redis).toEqual({
      kind: 'unix',
      db: 0,
      username: undefined,
      password: undefined,
      tls: false,
      ...expected,
    });
  });

  it.each([
    ['redis://localhost', { host: 'localhost' }],
    ['redis://localhost/', { host: 'localhost' }],
    ['REDIS://my-redis_1.example.com.:1/15', { host: 'my-redis_1.example.com.', port: 1, db: 15 }],
    ['redis://[::1]:6380', { host: '::1', port: 6380 }],
    ['redis://user:@h', { host: 'h', username: 'user', password: '' }],
    ['redis://:a:b@h', { host: 'h', password: 'a:b' }],
  ])('takes %s as it says', (url, expected) => {
    const plain = { kind: 'single', port: 6379, username: undefined, password: undefined, tls: false, db: 0 };
    expect(readConfig({ REDIS_URL: url }).redis).toEqual({ ...plain, ...expected });
  });

  it('reads what a cluster calls its nodes, and what Sentinels want to know', () => {
    const natMap = { '10.0.0.1:6379': { host: '203.0.113.5', port: 7001 }, '::1:7000': { host: 'h', port: 1 } };
    const map = '10.0.0.1:6379=203.0.113.5:7001, [::1]:7000=h:1';
    const sentinel = { REDIS_SENTINEL_ADDRS: 'a:1', REDIS_SENTINEL_NAME: 'main' };
    const user = { REDIS_SENTINEL_USERNAME: 'watcher', REDIS_SENTINEL_PASSWORD: 'secret' };
    expect([
      readConfig({ REDIS_CLUSTER_ADDRS: 'a:1', REDIS_NAT_MAP: map }).redis,
      readConfig({ ...sentinel, ...user, REDIS_NAT_MAP: map }).redis,
    ]).toMatchObject([{ natMap }, { natMap, sentinelUsername: 'watcher', sentinelPassword: 'secret' }]);
  });

  it('refuses to listen on a name that leads nowhere, and names every other mistake with it', async () => {
    const host = 'x86_64-conda-linux-gnu';
    const lost = `HOST is "${host}", a name that leads nowhere; allowed: an IP address, or a name that leads to one`;
    await expect(readConfigAtStart({ HOST: host })).rejects.toEqual(new ConfigError(lost));
    await expect(readConfigAtStart({ HOST: host, PORT: 'x' })).rejects.toEqual(
      new ConfigError(`${lost}\nPORT is "x"; allowed: a whole number from 1 to 65535`),
    );
    for (const allowed of ['localhost', '::', '0.0.0.0', '::1']) {
      expect((await readConfigAtStart({ HOST: allowed })).host).toBe(allowed);
    }
  });

  it('names variables that contradict each other', () => {
    expect([
      ...mistakesOf({ REDIS_CLUSTER_ADDRS: 'a:1', REDIS_SENTINEL_ADDRS: 'a:1', REDIS_SENTINEL_NAME: 'main' }),
      ...mistakesOf({ REDIS_SENTINEL_ADDRS: 'a:1' }),
      ...mistakesOf({ REDIS_SENTINEL_NAME: 'main' }),
      ...mistakesOf({ REDIS_CLUSTER_ADDRS: 'a:1', REDIS_URL: 'redis://a/2' }),
      ...mistakesOf({ REDIS_CLUSTER_ADDRS: 'a:1', REDIS_URL: 'unix:///a' }),
      ...mistakesOf({ REDIS_NAT_MAP: 'a:1=b:2' }),
      ...mistakesOf({ REDIS_SENTINEL_PASSWORD: 'x' }),
    ]).toEqual([
      'REDIS_CLUSTER_ADDRS and REDIS_SENTINEL_ADDRS are both set; allowed: one of them',
      'REDIS_SENTINEL_NAME is not set; allowed: both REDIS_SENTINEL_ADDRS and REDIS_SENTINEL_NAME, or neither',
      'REDIS_SENTINEL_ADDRS is not set; allowed: both REDIS_SENTINEL_ADDRS and REDIS_SENTINEL_NAME, or neither',
      'REDIS_URL names database 2; allowed with REDIS_CLUSTER_ADDRS: 0, a cluster has no other',
      'REDIS_URL names a Unix socket; allowed with REDIS_CLUSTER_ADDRS: redis://… or rediss://…',
      'REDIS_NAT_MAP is set; allowed: only with REDIS_CLUSTER_ADDRS or REDIS_SENTINEL_ADDRS',
      'REDIS_SENTINEL_ADDRS is not set; allowed: a user and a password for Sentinels only with it',
    ]);
  });

  it('ignores what it does not know', () => {
    const { policies, ...settings } = readConfig({ PATH: '/bin', REDIS: 'x' });
    expect(readConfig({})).toEqual({ ...settings, policies: [{ ...policies[0], keyOf: expect.any(Function) }] });
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

  it('takes no setting that says nothing without another', () => {
    expect([
      mistakesOf({ GRPC_PORT: '8081' }),
      mistakesOf({ RLS_CONFIG_DIR: exampleRules }),
      mistakesOf({ RLS_RESPONSE_HEADERS: 'on' }),
    ]).toEqual([
      ['GRPC_PORT is "8081", and RLS_CONFIG_DIR is not set; allowed: only beside RLS_CONFIG_DIR'],
      [`RLS_CONFIG_DIR is "${exampleRules}", and GRPC_PORT is not set; allowed: only beside GRPC_PORT`],
      ['RLS_RESPONSE_HEADERS is "on", and GRPC_PORT is not set; allowed: only beside GRPC_PORT'],
    ]);
    expect([
      mistakesOf({ GRPC_PORT: '8081', RLS_CONFIG_DIR: exampleRules, RLS_RESPONSE_HEADERS: 'on' }),
      mistakesOf({ GRPC_PORT: '', RLS_CONFIG_DIR: '', RLS_RESPONSE_HEADERS: 'off' }),
    ]).toEqual([[], []]);
  });

  it('tells no setting twice whose other one is wrong', () => {
    const wrong = { GRPC_PORT: 'x', RLS_CONFIG_DIR: exampleRules, RLS_RESPONSE_HEADERS: 'on' };
    expect(mistakesOf(wrong)).toEqual(['GRPC_PORT is "x"; allowed: nothing, or a whole number from 1 to 65535']);
  });

  it('gives no two doors one port', () => {
    expect(mistakesOf({ RESP_PORT: '8080', GRPC_PORT: '8080', RLS_CONFIG_DIR: exampleRules })).toEqual([
      'RESP_PORT is "8080", the same as PORT; allowed: another port',
      'GRPC_PORT is "8080", the same as PORT; allowed: another port',
    ]);
    expect(mistakesOf({ RESP_PORT: '7', GRPC_PORT: '7', RLS_CONFIG_DIR: exampleRules })).toEqual([
      'GRPC_PORT is "7", the same as RESP_PORT; allowed: another port',
    ]);
  });

  it('keeps a mistake on one line, whatever the value holds', () => {
    expect(mistakesOf({ PORT: '1\nHOST is fine' })).toEqual([
      'PORT is "1\\nHOST is fine"; allowed: a whole number from 1 to 65535',
    ]);
  });

  it.each([...configRows])('keeps a mistake short, however long $name is', ({ name }) => {
    const lines = mistakesOf({ [name]: ' '.repeat(100_000) });
    for (const line of lines) expect(line.length).toBeLessThan(500);
  });

  it('takes a token that every door can be told, and none that is longer', () => {
    expect(readConfig({ API_TOKEN: 'x'.repeat(1024) }).tokens.api).toHaveLength(1024);
    for (const name of ['API_TOKEN', 'ADMIN_TOKEN'])
      expect(mistakesOf({ [name]: 'x'.repeat(1025) })).toEqual([expect.stringMatching(`^${name} is .* up to 1024 `)]);
  });

  it('does not show a secret', () => {
    const url = 'http://alice:hunter2@redis';
    const lines = mistakesOf({ REDIS_URL: url, REDIS_ADDR: 'alice:hunter2@redis:6379', PORT: 'x' });
    expect(lines.map((line) => line.split(' is ')[0])).toEqual(['PORT', 'REDIS_ADDR', 'REDIS_URL']);
    expect(lines.join('\n')).not.toMatch(/hunter2|alice|http/);
  });
});

const notPorts = ['0', '65536', '-1', '80.5', '8e3', '0x50', ' 80', '80 ', '+80', '080', '٨٠', 'http'];

/** For each variable, values that must be refused; a variable without any fails the test below. */
const refused: Record<string, readonly string[]> = {
  HOST: [
    '',
    'a b',
    'http://x',
    '127.0.0.1/8',
    '0',
    '127.1',
    '127.0.0.1.',
    '0x7f000001',
    '0x7f.1',
    '2130706433',
    '017700000001',
    '127.0.0.01',
    '256.1.1.1',
    '[::1]',
    ':::',
    '*',
    '-a',
    'a..b',
    '127.0.0.1:8080',
  ],
  PORT: ['', ...notPorts],
  RESP_PORT: notPorts,
  GRPC_PORT: notPorts,
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
    'localhost:06379',
    '0:6379',
    '127.1:6379',
    '2130706433:6379',
    '::1:6379',
    '[::1]',
    '[127.0.0.1]:6379',
    'localhost:6379/3',
    'user:secret@localhost:6379',
    'a:1,b:2',
    ' localhost:6379',
    '/var/run/redis.sock',
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
    'redis://:%zz@localhost',
    'redis://localhost?db=3',
    'redis://localhost/?db=3',
    'redis://localhost/3?timeout=1',
    'redis://localhost#x',
    'redis://localhost/3#',
    'redis://h,h2',
    'redis://h:1,h2:2',
    'redis://localhost/99999',
    'redis://localhost/03',
    'redis://localhost/3/',
    'redis://localhost/3/4',
    'redis://localhost//3',
    'redis://localhost/abc',
    'redis://localhost/1e3',
    'redis://localhost:/3',
    'redis://localhost:0',
    'redis://localhost:06379',
    'redis://:6379',
    'redis:///3',
    'redis://@localhost',
    'redis://:@localhost',
    'redis://user@localhost',
    'redis://:a/b@localhost',
    'redis://127.1',
    'redis://0',
    'redis://::1',
    'redis://[::1',
    'redis://lo calhost',
    ' redis://localhost',
    'redis://localhost\n',
    'redis://local\thost',
    'redis:/localhost',
    'redis+tls://localhost',
    'valkey://localhost',
    'unix:/run/redis.sock',
    'unix://run/redis.sock',
    'unix:///',
    'unix:///run/redis/',
    'unix:///run/redis.sock?db=x',
    'unix:///run/redis.sock?db=99999',
    'unix:///run/redis.sock?db=',
    'unix:///run/redis.sock?db=1&db=2',
    'unix:///run/redis.sock?password=x',
    'unix:///run/redis.sock#x',
    'redis+unix://localhost/run/redis.sock',
    `unix:///${'x'.repeat(107)}`,
    '/run/redis.sock',
  ],
  POLICIES_FILE: ['/nowhere/policies.yaml', '/', '\0'],
  RLS_RESPONSE_HEADERS: ['', 'ON', 'yes', 'true', '1'],
  RLS_CONFIG_DIR: ['/nowhere', '/', '/dev/null', '\0'],
  RATE_LIMIT: ['', '0', '-1', '1.5', 'many', '1000001', 'Infinity', 'NaN'],
  RATE_LIMIT_WINDOW_SEC: ['', '0', '86401', '1m'],
  RATE_LIMIT_BURST: ['', '0', '1000001', 'x'],
  REDIS_CLUSTER_ADDRS: ['a', 'a:1,', 'a:1;b:2', 'redis://a:1', 'a:1,b:99999', 'a:1,,b:2', 'a:b@c:1', 'a:1,0:2', ','],
  REDIS_SENTINEL_ADDRS: ['a', ',a:1', 'a:0'],
  REDIS_SENTINEL_NAME: ['my master', ' ', 'a,b', 'a/b', 'mästare'],
  REDIS_SENTINEL_USERNAME: ['a b'],
  REDIS_SENTINEL_PASSWORD: ['x'],
  REDIS_NAT_MAP: ['a', 'a:1', 'a:1=b', 'a:1=b:2=c:3', 'a:1=b:2,a:1=c:3', 'a:1=b:2,', '0:1=b:2', 'a:1=b:2'],
  INSTANCES: ['0', '10001', '2.5'],
  WORKERS: ['', '0', '257', 'all'],
  KEY_HEADER: ['a b', 'x:', 'näme', 'a\nb', '"x"'],
  TRUST_PROXY: [
    '',
    '17',
    '-1',
    '01',
    'loopback',
    '10.0.0.0/33',
    '10.0.0.0/8,',
    '::/129',
    '10.0.0.0/8/8',
    '::ffff:10.0.0.0/104',
    'fe80::%1/10',
  ],
  IPV6_PREFIX: ['', '0', '129', '56.0'],
  API_TOKEN: ['a b', ' ', '=', 'a=b', 'tökén', 'a\n'],
  ADMIN_TOKEN: ['a b', '"x"'],
  HASH_KEYS: ['x', ' ', 'fifteen bytes..', 'éééééééé'],
  KEEP_ALIVE_TIMEOUT_SEC: ['', '0', '-1', '1.5', '3601', 'soon'],
  REDIS_TIMEOUT_MS: ['', '0', '60001', '5ms', '0.5'],
  BREAKER_FAILURES: ['', '0', '1001', 'three'],
  BREAKER_RESET_MS: ['', '9', '600001', '1s'],
  FALLBACK_MAX_KEYS: ['', '0', '10000001', '1e5'],
  LOG_LEVEL: ['', 'loud', 'INFO', 'toString'],
};

/** What a variable is not told without. */
const beside: Readonly<Record<string, Readonly<Record<string, string>>>> = { RLS_CONFIG_DIR: { GRPC_PORT: '8081' } };

describe('each variable', () => {
  it.each(configRows.map(({ name }) => name))('%s accepts its own default and refuses what makes no sense', (name) => {
    const row = configRows.find((it) => it.name === name);
    expect(mistakesOf({ [name]: row?.default ?? '' })).toEqual([]);
    const values = refused[name] ?? [];
    expect(values.length).toBeGreaterThan(0);
    const accepted = values.filter((value) => mistakesOf({ ...beside[name], [name]: value }).length !== 1);
    expect(accepted).toEqual([]);
  });

  it('HASH_KEYS is not shown where it is too short', () => {
    expect(mistakesOf({ HASH_KEYS: 'fifteen bytes..' })).toEqual([
      'HASH_KEYS is a value that is not shown; allowed: nothing, or a secret of at least 16 characters',
    ]);
  });

  it('REDIS_ADDR takes an IPv6 address in brackets', () => {
    expect(readConfig({ REDIS_ADDR: '[::1]:6379' }).redis).toMatchObject({ host: '::1', port: 6379 });
  });
});

it('tells an application from an administrator', () => {
  const token = 'a-token-of-both-long-enough';
  expect(() => readConfig({ API_TOKEN: token, ADMIN_TOKEN: token })).toThrow(
    /^API_TOKEN is the same as ADMIN_TOKEN; allowed: /,
  );
  expect(() => readConfig({ API_TOKEN: token, ADMIN_TOKEN: `${token}-2` })).not.toThrow();
});
