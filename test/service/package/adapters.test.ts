import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createRequire } from 'node:module';
import { type AddressInfo, connect } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import express, { type ErrorRequestHandler } from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';
import { afterAll, describe, expect, it } from 'vitest';
import { rateLimit as forExpress } from '../../../service/package/express.ts';
import { rateLimit as forFastify } from '../../../service/package/fastify.ts';
import { rateLimit as forHono } from '../../../service/package/hono.ts';
import { createLimiter } from '../../../service/package/index.ts';
import { rateLimit as forKoa } from '../../../service/package/koa.ts';
import { rateLimit as forNext } from '../../../service/package/next.ts';
import type { RateLimitOptions } from '../../../service/package/request-gate.ts';

/** Without types beside it: those of Express 5 are for both. */
const express4: typeof express = createRequire(import.meta.url)('express4');

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

/** A request, as far as the tests' options look at it. */
type Headers = { readonly get: (name: string) => string | undefined };
type Options = RateLimitOptions<Headers>;

/** An application that greets whoever may go on, and tells its own errors. */
type App = (options: Options) => Promise<RequestListener>;

/** The options for a framework whose requests have their headers where `headersOf` says. */
function optionsFor<Request>(
  { key, cost, skip, policy, ...options }: Options,
  headersOf: (request: Request) => Headers,
): RateLimitOptions<Request> {
  return {
    ...options,
    policy: typeof policy === 'function' ? (request) => policy(headersOf(request)) : policy,
    key: key && ((request) => key(headersOf(request))),
    cost: typeof cost === 'function' ? (request) => cost(headersOf(request)) : cost,
    skip: skip && ((request) => skip(headersOf(request))),
  };
}

const ofExpress =
  (create: typeof express): App =>
  async (options) => {
    const app = create();
    app.use(forExpress(optionsFor(options, (request) => ({ get: (name) => request.get(name) }))));
    app.get('/', (_request, response) => void response.send('hello'));
    app.use(((error, _request, response, _next) => {
      response.status(500).send(error.message);
    }) as express.ErrorRequestHandler);
    return app;
  };

const apps: Readonly<Record<string, App>> = {
  'Express 5': ofExpress(express),
  'Express 4': ofExpress(express4),
  async Fastify(options) {
    const app = fastify();
    const headersOf = ({ headers }: { headers: Record<string, unknown> }) => ({
      get: (name: string) => headers[name] as string | undefined,
    });
    app.addHook('onRequest', forFastify(optionsFor(options, headersOf)));
    app.get('/', async () => 'hello');
    app.setErrorHandler((error: Error, _request, reply) => reply.code(500).send(error.message));
    await app.ready();
    return (request, response) => app.routing(request, response);
  },
  async Hono(options) {
    const app = new Hono();
    app.use(forHono(optionsFor(options, ({ req }) => ({ get: (name) => req.header(name) }))));
    app.get('/', () => new Response('hello'));
    app.onError((error, context) => context.text(error.message, 500));
    return getRequestListener(app.fetch);
  },
  async Koa(options) {
    const app = new Koa();
    app.silent = true;
    app.use(async (context, next) => {
      try {
        await next();
      } catch (error) {
        context.status = 500;
        context.body = (error as Error).message;
      }
    });
    app.use(forKoa(optionsFor(options, (context) => ({ get: (name) => context.get(name) || undefined }))));
    app.use((context) => {
      context.body = 'hello';
    });
    return app.callback();
  },
};

async function serve(listener: RequestListener): Promise<(headers?: Record<string, string>) => Promise<Response>> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await new Promise((resolve) => server.once('listening', resolve));
  return (headers = {}) => fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { headers });
}

describe.each(Object.entries(apps))('the limiter in %s', (_, app) => {
  it('tells every answer its limits, and refuses with when to come back and why', async () => {
    const limiter = createLimiter({ limits: '2 per hour' });
    const ask = await serve(await app({ limiter }));
    const sinceMs = performance.now();
    const first = await ask();
    expect([first.status, await first.text()]).toEqual([200, 'hello']);
    expect(Object.fromEntries(first.headers)).toMatchObject({
      'ratelimit-policy': '"default";q=2;w=3600',
      ratelimit: '"default";r=1;t=1800',
      'x-ratelimit-limit': '2',
      'x-ratelimit-remaining': '1',
      'x-ratelimit-mechanism': 'fallback',
    });
    await ask();
    const third = await ask();
    expect([third.status, third.headers.get('content-type')]).toEqual([
      429,
      expect.stringMatching(/^application\/problem\+json/),
    ]);
    const retryAfterS = Number(third.headers.get('retry-after'));
    expect(retryAfterS).toBeLessThanOrEqual(1800);
    expect(retryAfterS).toBeGreaterThanOrEqual(1800 - Math.ceil((performance.now() - sinceMs) / 1000));
    expect(await third.json()).toMatchObject({ status: 429, 'violated-policies': ['default'] });
    expect((await limiter.look('address:127.0.0.1')).allowed).toBe(false);
  });

  it('counts by a key, with a cost, by a policy that the request says, and not what is skipped', async () => {
    const limiter = createLimiter({ policies: { free: '5 per hour', paid: '50 per hour' } });
    const ask = await serve(
      await app({
        limiter,
        key: async ({ get }) => get('x-user'),
        cost: ({ get }) => Number(get('x-cost') ?? 1),
        policy: ({ get }) => get('x-plan') ?? 'free',
        skip: ({ get }) => get('x-skip') !== undefined,
      }),
    );
    const left = async (headers: Record<string, string>) => (await ask(headers)).headers.get('x-ratelimit-remaining');
    expect(await left({ 'x-user': 'alice', 'x-cost': '3' })).toBe('2');
    expect(await left({ 'x-user': 'bob' })).toBe('4');
    expect(await left({ 'x-user': 'alice', 'x-plan': 'paid' })).toBe('49');
    expect(await left({ 'x-user': 'alice', 'x-skip': '1' })).toBeNull();
    expect(await left({})).toBe('4');
    expect((await limiter.look('key:alice', { policy: 'free' })).remaining).toBe(2);
  });

  it('takes the address for a key that says nothing, and refuses one that is no text', async () => {
    const limiter = createLimiter({ limits: '9 per hour' });
    const ask = await serve(await app({ limiter, key: ({ get }) => JSON.parse(get('x-key') ?? '""') }));
    const answerTo = async (key: string) => {
      const answer = await ask({ 'x-key': key });
      return answer.headers.get('x-ratelimit-remaining') ?? (await answer.text());
    };
    expect(await answerTo('null')).toBe('8');
    expect(await answerTo('""')).toBe('7');
    for (const [key, shown] of [
      ['5', '5'],
      ['{"id":5}', 'an object'],
    ] as const) {
      expect(await answerTo(key)).toBe(
        `rateLimit: key is ${shown}; allowed: a text, or nothing for the client's address`,
      );
    }
  });

  it('lets nobody pass when what a function throws is no error', async () => {
    const limiter = createLimiter({ limits: '9 per hour' });
    const thrown: Readonly<Record<string, unknown>> = { nothing: undefined, route: 'route', '0': 0 };
    const key = ({ get }: Headers) => Promise.reject(thrown[get('x-throws') ?? '']);
    const ask = await serve(await app({ limiter, key }));
    for (const [name, value] of Object.entries(thrown)) {
      const answer = await ask({ 'x-throws': name });
      expect([answer.status, await answer.text()]).toEqual([500, `rateLimit: a function has thrown ${value}`]);
    }
  });

  it('leaves mistakes of the application to the application', async () => {
    const limiter = createLimiter({ limits: '5 per hour' });
    const ask = await serve(await app({ limiter, cost: ({ get }) => Number(get('x-cost')) }));
    const answer = await ask();
    expect([answer.status, await answer.text()]).toEqual([
      500,
      'take: cost is NaN; allowed: a whole number from 1 to 1000000000',
    ]);
    expect((await ask({ 'x-cost': '1' })).status).toBe(200);
  });

  it('lets requests pass when Redis is away, refuses where a policy says so, and lets them pass after the end', async () => {
    const limiter = createLimiter({
      redis: 'redis://127.0.0.1:1',
      policies: { api: '1 per hour', login: { limits: '1 per hour', onStoreFailure: 'closed' } },
    });
    const ask = await serve(await app({ limiter, policy: ({ get }) => get('x-policy') }));
    const statusBy = async (policy: string) => (await ask({ 'x-policy': policy })).status;
    expect([await statusBy('api'), await statusBy('api'), await statusBy('login')]).toEqual([200, 429, 503]);
    await limiter.close();
    expect([await statusBy('api'), await statusBy('login')]).toEqual([200, 200]);
  });
});

describe('the limiter in a handler of the Fetch API', () => {
  it('gives the answer of a request that may not go on', async () => {
    const limiter = createLimiter({ limits: '1 per hour' });
    const refuse = forNext({ limiter, key: ({ headers }) => headers.get('x-user') ?? undefined });
    const request = new Request('http://localhost/', { headers: { 'x-user': 'alice' } });
    expect(await refuse(request)).toBeUndefined();
    const answer = (await refuse(request)) as Response;
    expect([answer.status, answer.headers.get('content-type'), answer.headers.get('retry-after')]).toEqual([
      429,
      'application/problem+json',
      '3600',
    ]);
    expect(await answer.json()).toMatchObject({ status: 429 });
    await expect(refuse(new Request('http://localhost/'))).rejects.toThrow(
      'rateLimit: key is missing, and the address of the client is not known, as of one that has gone; allowed: a key',
    );
  });
});

describe.each<[string, (before: Options, behind: Options) => RequestListener]>([
  ['Express', (before, behind) => express().use(forExpress(before as never), forExpress(behind as never))],
  [
    'Koa',
    (before, behind) =>
      new Koa()
        .use(forKoa(before as never))
        .use(forKoa(behind as never))
        .callback(),
  ],
  [
    'Hono',
    (before, behind) => getRequestListener(new Hono().use(forHono(before as never), forHono(behind as never)).fetch),
  ],
  [
    'Fastify',
    (before, behind) => {
      const app = fastify();
      app.addHook('onRequest', forFastify(before as never));
      app.get('/', { preHandler: forFastify(behind as never) }, async () => 'hello');
      const ready = app.ready();
      return (request, response) => void ready.then(() => app.routing(request, response));
    },
  ],
])('of two limits of which one stands behind the other, %s', (_, app) => {
  it('tells those that refuse', async () => {
    const limiter = createLimiter({ policies: { api: '9 per hour', login: '1 per hour' } });
    const ask = await serve(app({ limiter, policy: 'api' }, { limiter, policy: 'login' }));
    await ask();
    const answer = await ask();
    expect([answer.status, answer.headers.get('ratelimit')]).toEqual([429, '"login";r=0;t=3600']);
  });

  it('tells nothing of the other one where no bucket stands behind its own', async () => {
    const login = { limits: '3 per hour', onStoreFailure: 'open' } as const;
    const limiter = createLimiter({ redis: 'redis://127.0.0.1:1', policies: { api: '9 per hour', login } });
    const ask = await serve(app({ limiter, policy: 'api' }, { limiter, policy: 'login' }));
    const { headers } = await ask();
    const told = [...headers].filter(([name]) => name.includes('ratelimit'));
    expect(Object.fromEntries(told)).toEqual({
      'ratelimit-policy': '"login";q=3;w=3600',
      'x-ratelimit-limit': '3',
      'x-ratelimit-mechanism': 'open',
    });
    await limiter.close();
  });
});

describe('what an adapter is told', () => {
  const limiter = createLimiter({ policies: { api: '1 per hour', login: '1 per hour' } });

  it.each<[unknown, string | RegExp]>([
    [undefined, /^rateLimit: the options is missing; allowed: an object with the fields limiter, policy/],
    [{}, 'rateLimit: limiter is missing; allowed: what createLimiter has made'],
    [
      { limiter, polices: 'api' },
      /^rateLimit: polices is no field; allowed: limiter, policy, limits, key, cost, skip$/,
    ],
    [{ limiter, key: 'x-key' }, 'rateLimit: key is "x-key"; allowed: a function from a request to a text'],
    [{ limiter, policy: 'api', cost: 0 }, 'rateLimit: cost is 0; allowed: a whole number from 1, or a function'],
    [
      { limiter: { take: async () => ({ allowed: true }) }, policy: 'api' },
      'rateLimit: limiter is an object; allowed: what createLimiter has made',
    ],
    [
      { limiter, limits: ['5 per minute', '9 per hour'], cost: 6 },
      'take: cost is 6; allowed: up to 5, the smallest capacity of its limits',
    ],
    [
      { limiter, policy: 'api', cost: 1e12 },
      'take: cost is 1000000000000; allowed: a whole number from 1 to 1000000000',
    ],
    [{ limiter }, 'take: policy is missing; allowed: one of api, login'],
    [{ limiter, policy: 'logn' }, 'take: policy is "logn"; allowed: one of api, login'],
    [{ limiter, limits: '5 per fortnight' }, /^take: limits\[0\] is "5 per fortnight"; allowed: COUNT per second/],
  ])('is refused at the start where it is wrong: %j', (options, message) => {
    expect(() => forExpress(options as never)).toThrow(message);
  });

  const called = 'the options are no options but something of a framework; allowed: ';
  const hook = "app.addHook('onRequest', rateLimit({ limiter }))";
  it.each<[string, () => PromiseLike<unknown>, string]>([
    [
      'as a plugin',
      () => fastify().register(forFastify({ limiter, policy: 'api' }) as never),
      `app.register is given a hook, and no plugin; allowed: ${hook}`,
    ],
    [
      'as a plugin, not called',
      () =>
        fastify()
          .register(forFastify as never, { limiter })
          .ready(),
      `app.register is given a hook, and no plugin; allowed: ${hook}`,
    ],
    ['as a hook, not called', () => refusalBy(fastify().addHook('onRequest', forFastify as never)), `${called}${hook}`],
  ])('says that it is a hook of Fastify, given %s', async (_, given, mistake) => {
    await expect(given()).rejects.toThrow(`rateLimit: ${mistake}`);
  });

  async function refusalBy(app: ReturnType<typeof fastify>): Promise<void> {
    const { message } = (await app.get('/', async () => '').inject('/')).json();
    throw new Error(message);
  }

  it('says how it is used where it is not called: in Express, Koa and Hono', async () => {
    const errors: string[] = [];
    const note = (error: Error) => void errors.push(error.message);
    const ofExpress = express().use(forExpress as never);
    ofExpress.use(((error, _request, response, _next) => {
      note(error);
      response.end();
    }) as ErrorRequestHandler);
    const ofKoa = new Koa().use(forKoa as never).on('error', note);
    const ofHono = new Hono().use(forHono as never);
    ofHono.onError((error) => {
      note(error);
      return new Response();
    });
    for (const app of [ofExpress, ofKoa.callback(), getRequestListener(ofHono.fetch)]) await (await serve(app))();
    expect(errors).toEqual(Array(3).fill(`rateLimit: ${called}app.use(rateLimit({ limiter }))`));
  });

  it('says of a client that has gone before its turn that this may be why its address is not known', async () => {
    const told = Promise.withResolvers<Error>();
    const app = express();
    const arrived = Promise.withResolvers<void>();
    app.use((request, _response, next) => {
      request.socket.once('close', () => next());
      arrived.resolve();
    });
    app.use(forExpress({ limiter, policy: 'api' }));
    app.use(((error, _request, _response, _next) => told.resolve(error)) as ErrorRequestHandler);
    const server = createServer(app).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await arrived.promise;
    client.resetAndDestroy();
    expect((await told.promise).message).toContain('not known, as of one that has gone;');
  });

  it('counts the clients of one IPv6 network as one', async () => {
    const app = express();
    app.set('trust proxy', true);
    app.use(forExpress({ limiter, policy: 'api' }));
    app.get('/', (_request, response) => void response.send('hello'));
    const ask = await serve(app);
    const statusOf = async (address: string) => (await ask({ 'X-Forwarded-For': address })).status;
    expect([await statusOf('2001:db8::1'), await statusOf('2001:db8::2'), await statusOf('2001:db9::1')]).toEqual([
      200, 429, 200,
    ]);
    expect([await statusOf('198.51.100.1:5678'), await statusOf('198.51.100.1:999')]).toEqual([200, 429]);
    expect([await statusOf('[2001:dba::1]:80'), await statusOf('2001:dba::2')]).toEqual([200, 429]);
    const noAddress = ['1::2:3:4:5:6:7:8:9', 'unknown', ':'.repeat(100)];
    for (const text of noAddress) expect([await statusOf(text), await statusOf(text)]).toEqual([200, 429]);
  });
});
