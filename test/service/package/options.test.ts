import { once } from 'node:events';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { settingsOf } from '../../../service/package/options.ts';
import { OptionsError } from '../../../service/package/options-error.ts';

function mistakesOf(options: unknown): readonly string[] {
  try {
    settingsOf(options);
    return [];
  } catch (error) {
    if (!(error instanceof OptionsError)) throw error;
    return error.mistakes;
  }
}

describe('the options of a limiter', () => {
  it('are all told of at once where they are not usable', () => {
    const options = {
      redis: 'localhost:6379',
      policies: { api: '5 per fortnight', login: { limits: ['1 per hour', '60 per minute'], onStoreFailure: 'shut' } },
      redisTimeoutMs: 0,
      instances: '3',
      hashKeys: 'short',
      redisUrl: 'redis://localhost',
    };
    expect(mistakesOf(options).map((it) => it.replace(/; allowed: .*/, ''))).toEqual([
      'policies.api.limits[0] is "5 per fortnight"',
      'policies.login.onStoreFailure is "shut"',
      'instances is "3"',
      'redisTimeoutMs is 0',
      'hashKeys is a value that is not shown',
      'redisUrl is no field',
      'redis is a text that is not shown and no URL of a Redis',
    ]);
    expect(mistakesOf(options)).toContain('redisTimeoutMs is 0; allowed: a whole number from 1 to 60000');
    expect(() => settingsOf(options)).toThrow(/^createLimiter: policies.api.limits\[0\] is "5 per fortnight"; allowed/);
  });

  it.each<[string, unknown, string]>([
    ['no object', undefined, 'the options is missing; allowed: an object'],
    ['a URL in place of them', 'redis://localhost', 'the options is "redis://localhost"; allowed: an object'],
    [
      'both kinds of limits',
      { limits: '1 per hour', policies: { a: '1 per hour' } },
      'limits and policies are both there',
    ],
    ['no limit', { limits: [] }, 'limits is a list of 0; allowed: a list of 1 to 8 limits'],
    [
      'two limits of a window',
      { limits: ['1 per hour', '2 per hour'] },
      'limits[1] has a window of 3600s as one before',
    ],
    [
      'a policy without a name',
      { policies: { 'A b': '1 per hour', api: '1 per hour' } },
      'policies.A b is no field; allowed: names of up to 60 of a-z, 0-9, - and _',
    ],
    [
      'a limit that never refills',
      { limits: { capacity: 9, refillPerSecond: 0 } },
      'limits[0].refillPerSecond is 0; allowed: a number over 0',
    ],
    ['a port of no computer', { redis: { port: 1e308 } }, 'redis.port is 1e+308; allowed: a whole number from 1 to'],
    ['a policy without limits', { policies: { a: {} } }, 'policies.a.limits is missing; allowed: a list of 1 to 8'],
    ['a list in place of them', [], 'the options is a list of 0; allowed: an object'],
    ['a Map in place of them', new Map(), 'the options is "[object Map]"; allowed: an object with the fields'],
    ['a Promise of them', Promise.resolve({}), 'the options is "[object Promise]"; allowed: an object with the fields'],
    [
      'policies in a Map',
      { policies: new Map([['a', '1 per hour']]) },
      'policies is an object; allowed: an object of up',
    ],
    ['a list of policies', { policies: ['1 per hour'] }, 'policies is a list of 1; allowed: an object of up to 1000'],
    ['a log that is no function', { onEvent: console }, 'onEvent is an object; allowed: a function'],
    ['metrics that are none', { metrics: true }, 'metrics is true; allowed: a Registry of prom-client'],
    ['a prefix that is none', { prefix: 5 }, 'prefix is 5; allowed: a text of up to 100 characters'],
  ])('name what is wrong: %s', (_, options, mistake) => {
    expect(mistakesOf(options)).toEqual([expect.stringContaining(mistake)]);
  });
});

describe('the option redis', () => {
  const limits = '1 per hour';
  const addressOf = (redis: unknown) => settingsOf({ redis, limits }).engine.redis;
  const nobody = { username: undefined, password: undefined, tls: false };

  it('may be left out, and says by a warning when it is undefined, as a variable that is not set', async () => {
    expect(settingsOf({ limits }).engine.redis).toBeUndefined();
    const warned = once(process, 'warning');
    expect(settingsOf({ limits, redis: undefined }).engine.redis).toBeUndefined();
    expect((await warned)[0].message).toBe(
      'createLimiter: redis is undefined, so this process decides by itself. To say so without this warning, leave redis out.',
    );
  });

  it.each<[unknown, object]>([
    ['redis://localhost', { kind: 'single', host: 'localhost', port: 6379, db: 0, ...nobody }],
    [new URL('redis://localhost'), { kind: 'single', host: 'localhost', port: 6379, db: 0, ...nobody }],
    ['rediss://u:p@r:1/2', { kind: 'single', host: 'r', port: 1, db: 2, username: 'u', password: 'p', tls: true }],
    ['redis+unix:///run/redis.sock', { kind: 'unix', path: '/run/redis.sock', db: 0, ...nobody }],
    [{}, { kind: 'single', host: 'localhost', port: 6379, db: 0, ...nobody }],
    [{ path: '/run/redis.sock' }, { kind: 'unix', path: '/run/redis.sock', db: 0, ...nobody }],
    [
      { host: '10.0.0.1', tls: { servername: 'redis' }, password: 'p', username: undefined },
      { kind: 'single', host: '10.0.0.1', port: 6379, db: 0, ...nobody, password: 'p', tls: { servername: 'redis' } },
    ],
    [{ nodes: [{ host: 'a', port: 1 }] }, { kind: 'cluster', nodes: [{ host: 'a', port: 1 }], natMap: {}, ...nobody }],
    [
      { sentinels: [{ host: 'a', port: 1 }], name: 'm', sentinelPassword: 's' },
      {
        ...{ kind: 'sentinel', sentinels: [{ host: 'a', port: 1 }], name: 'm', natMap: {}, db: 0, ...nobody },
        ...{ sentinelUsername: undefined, sentinelPassword: 's' },
      },
    ],
  ])('says where Redis is: %j', (redis, address) => {
    expect(addressOf(redis)).toEqual(address);
  });

  it('may be a client of ioredis, of which it takes the address and who it is', () => {
    const clients = [
      new Redis({ host: 'r', port: 1, db: 3, username: 'u', password: 'p', keyPrefix: 'x:', lazyConnect: true }),
      new Redis({ path: '/run/redis.sock', tls: {}, lazyConnect: true }),
      new Redis({ sentinels: [{ host: 'a', port: 1 }], name: 'm', lazyConnect: true }),
    ];
    const [single, unix, sentinel] = clients.map(addressOf);
    const tls = { servername: 'm' };
    const secured = { tls, enableTLSForSentinelMode: true, sentinelTLS: tls };
    expect(addressOf(bySentinel(secured))).toMatchObject({ kind: 'sentinel', tls });
    expect(single).toEqual({ kind: 'single', host: 'r', port: 1, db: 3, username: 'u', password: 'p', tls: false });
    expect(unix).toEqual({ kind: 'unix', path: '/run/redis.sock', db: 0, ...nobody, tls: {} });
    expect(sentinel).toMatchObject({ kind: 'sentinel', sentinels: [{ host: 'a', port: 1 }], name: 'm' });
  });

  it.each<[string, Redis, object]>([
    ['the user of a URL', new Redis('redis://:p@r:1/2', { lazyConnect: true }), { host: 'r', db: 2, password: 'p' }],
    ['a path', new Redis({ host: 'r', path: '', password: '', lazyConnect: true }), { host: 'r' }],
    [
      'the user of the Sentinels',
      new Redis({ sentinels: [{ host: 'a', port: 1 }], name: 'm', sentinelUsername: '', lazyConnect: true }),
      { kind: 'sentinel', sentinelUsername: undefined },
    ],
  ])('may be a client of ioredis for which an empty text is none, as %s', (_, client, address) => {
    expect(addressOf(client)).toMatchObject({ username: undefined, ...address });
  });

  const notByTls =
    'redis is an ioredis client that has TLS and does not use it for the Sentinels and the master alike; allowed: for both, with tls, enableTLSForSentinelMode and sentinelTLS, or for neither';
  it.each<[unknown, string]>([
    [null, 'redis is null; allowed: redis://user:password@host:port/database'],
    [6379, 'redis is a number; allowed: redis://'],
    ['http://:secret@localhost', 'redis is a text that is not shown and no URL of a Redis; allowed: redis://'],
    [new URL('http://:secret@localhost'), 'redis is a text that is not shown and no URL of a Redis; allowed: redis://'],
    [Promise.resolve(new Redis({ lazyConnect: true })), 'redis is [object Promise]; allowed: redis://'],
    [new Map([['host', 'r']]), 'redis is [object Map]; allowed: redis://'],
    [[], 'redis is a list of 0; allowed: an object with the fields'],
    [{ hots: 'localhost' }, 'redis.hots is no field; allowed: username, password, tls, host, port, path, db'],
    [{ host: '1.2.3' }, 'redis.host is "1.2.3"; allowed: the name or the IP address of a host'],
    [{ port: '6379' }, 'redis.port is "6379"; allowed: a whole number from 1 to 65535'],
    [{ password: 123 }, 'redis.password is a value that is not shown; allowed: a text'],
    [{ username: 'u' }, 'redis.password is missing; allowed: a text, beside a username'],
    [{ path: '/a', port: 1 }, 'redis is an object with a path and a host or a port; allowed: one or the other'],
    [{ nodes: [] }, 'redis.nodes is a list of 0; allowed: a list of objects with host and port, at least one'],
    [{ nodes: ['a:1'] }, 'redis.nodes[0] is "a:1"; allowed: an object with the fields host, port'],
    [
      { nodes: [{ host: 'a', port: 1 }], db: 1 },
      'redis.db is no field; allowed: username, password, tls, nodes, natMap',
    ],
    [{ sentinels: [{ host: 'a', port: 1 }] }, 'redis.name is missing; allowed: what the Sentinels call the master'],
    [{ sendCommand: 'GET' }, 'redis is an object with no function sendCommand; allowed: { sendCommand: '],
    [
      { sendCommand() {}, host: 'a' },
      'redis is an object with other fields beside sendCommand; allowed: { sendCommand',
    ],
    [
      { isOpen: true, isReady: true, sendCommand() {} },
      'redis is a client of the package redis; allowed: { sendCommand',
    ],
    [
      { isOpen: true, sendCommand() {}, getSlotMaster() {} },
      'redis is a cluster of the package redis; allowed: an object with nodes, a list of its addresses',
    ],
    [
      { isOpen: true, isReady: true, sendCommand() {}, getMasterNode() {} },
      'redis is Sentinels of the package redis; allowed: an object with sentinels, a list of their addresses, and name',
    ],
    [
      { isCluster: true, status: 'ready', options: {}, duplicate() {} },
      "redis is ioredis's Cluster; allowed: an object",
    ],
    [
      closedClient(),
      'redis is an ioredis client that is closed; allowed: one that is not, or the address of the Redis',
    ],
    [bySentinel({ tls: {} }), notByTls],
    [bySentinel({ tls: {}, enableTLSForSentinelMode: true }), notByTls],
    [bySentinel({ sentinelTLS: {} }), notByTls],
    [bySentinel({ tls: {}, sentinelTLS: {} }), notByTls],
  ])('says what is wrong with it: %j', (redis, mistake) => {
    expect(mistakesOf({ redis, limits })).toEqual([expect.stringContaining(mistake)]);
  });

  function bySentinel(tls: { tls?: object; sentinelTLS?: object; enableTLSForSentinelMode?: boolean }): Redis {
    return new Redis({ sentinels: [{ host: 'a', port: 1 }], name: 'm', lazyConnect: true, ...tls });
  }

  function closedClient(): Redis {
    const client = new Redis({ lazyConnect: true });
    client.disconnect();
    return client;
  }
});
