import { createServer, type Server } from 'node:http';
import { isDeepStrictEqual, promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Environment, Instance } from '../../../chaos/environment.ts';
import { LabError } from '../../../chaos/errors.ts';
import { targetsOf } from '../../../chaos/faults/fault.ts';
import { faultOf } from '../../../chaos/faults/index.ts';
import { httpLook } from '../../../chaos/host/http-look.ts';
import { probeLinks, zeroIn } from '../../../chaos/watch/observer.ts';
import { startToxiproxy, type ToxiproxyProcess } from '../../support/toxiproxy.ts';
import { until } from '../../support/until.ts';

const host = '127.0.0.1';

/** A limiter as far as an answer goes, behind the front links of three instances. */
describe('a front link', () => {
  const started = new AsyncDisposableStack();
  let toxiproxy: ToxiproxyProcess;
  let server: Server;
  let environment: Environment;

  beforeAll(async () => {
    toxiproxy = started.use(await startToxiproxy());
    server = createServer((_request, response) => response.end('Request successful!'));
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    started.defer(() => new Promise<void>((resolve) => server.close(() => resolve())));
    const { port } = server.address() as { port: number };
    const instanceOf = async (name: string): Promise<Instance> => {
      const frontProxy = `${name}-front`;
      const frontPort = await toxiproxy.api.createProxy(frontProxy, `${host}:${port}`);
      const links = { frontProxy, frontUrl: `http://${host}:${frontPort}`, storeLink: { proxy: '', host, port: 1 } };
      return { name, control: name === 'limiter-control', url: `http://${host}:${port}`, ...links };
    };
    environment = {
      driver: 'the test',
      instances: await Promise.all(['limiter-1', 'limiter-2', 'limiter-control'].map(instanceOf)),
      toxiproxy: toxiproxy.api,
      redis: { kill: async () => {}, start: async () => {} },
      prometheusUrl: '',
      versions: {},
      broken: new Promise<never>(() => {}),
      [Symbol.asyncDispose]: async () => {},
    };
  });
  afterAll(() => started.disposeAsync());

  it.each([
    { kind: 'slow-clients', kilobytesPerSecond: 2 },
    { kind: 'slow-clients', kilobytesPerSecond: 1, direction: 'both' },
    { kind: 'cut-answers', bytes: 60 },
    { kind: 'client-resets' },
    { kind: 'half-open', share: 0.5 },
  ])('is broken by %o as long as it is not healed, which the lab sees as a client does', async (spec) => {
    const fault = faultOf(spec);
    const targets = targetsOf('one-front-link', environment);
    const look = async () =>
      (await probeLinks(environment, fault, targets, 'broken', zeroIn(0))).map(({ instance, seen }) => [
        instance,
        seen,
      ]);
    const healthy = [
      ['limiter-1', 'healthy'],
      ['limiter-control', 'healthy'],
    ];
    await until('healthy links', async () => isDeepStrictEqual(await look(), healthy));
    for (const target of targets) await fault.inject(environment, target);
    expect([await look(), await look(), await look()].map(([first]) => first)).toEqual(
      Array(3).fill(['limiter-1', 'broken']),
    );
    for (const target of targets) await fault.heal(environment, target);
    await until('links healthy again', async () => isDeepStrictEqual(await look(), healthy));
    for (const target of targets) await fault.heal(environment, target); // safe to repeat
    expect(await toxiproxy.api.toxicsOf('limiter-1-front')).toEqual([]);
  });

  it.each([
    { kind: 'idle-connections', count: 40 },
    { kind: 'slow-scrapers', count: 40 },
  ])('has company by %o as long as that is not healed, and answers all the same', async (spec) => {
    const fault = faultOf(spec);
    const [target] = targetsOf('one-instance', environment);
    if (!target) throw new Error('no instance');
    const connections = () => promisify(server.getConnections.bind(server))();
    const seen = async () => (await probeLinks(environment, fault, [target], 'broken', zeroIn(0))).map((it) => it.seen);
    await until('no connection', async () => (await connections()) === 0);
    await fault.inject(environment, target);
    await until('all connections', async () => (await connections()) === 40);
    expect(await seen()).toEqual(['broken', 'healthy']);
    server.closeAllConnections();
    await until('all connections again', async () => (await connections()) === 40 && (await seen())[0] === 'broken');
    expect((await httpLook(`${target.instance?.frontUrl}/`, 30_000)).outcome).toBe('pong');
    await fault.heal(environment, target);
    await fault.heal(environment, target); // safe to repeat
    await until('no connection', async () => (await connections()) === 0);
    expect(await seen()).toEqual(['healthy', 'healthy']);
  });

  it('that the driver has none of cannot be broken, and the fault says so', async () => {
    const [first] = environment.instances;
    const { frontProxy: _, ...instance } = first as Instance;
    const without = { name: 'limiter-1', instance, at: 'front-link' } as const;
    await expect(faultOf({ kind: 'slow-clients', kilobytesPerSecond: 1 }).inject(environment, without)).rejects.toThrow(
      new LabError('limiter-1 is asked directly: there is no front link to break'),
    );
  });
});

describe('a look as a client', () => {
  it('tells an answer, whatever it says, from none', async () => {
    const server = createServer((request, response) => {
      if (request.url === '/half') response.writeHead(200, { 'content-length': 100 }).write('half');
      else if (request.url !== '/silent') response.writeHead(404).end('nothing here');
      if (request.url === '/half') setTimeout(() => response.destroy(), 20);
    });
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    const { port } = server.address() as { port: number };
    const url = `http://${host}:${port}`;
    const outcome = async (path: string, ms: number) => (await httpLook(`${url}${path}`, ms)).outcome;
    expect(await outcome('/', 30_000)).toBe('pong');
    expect(await outcome('/half', 30_000)).toBe('closed');
    expect(await outcome('/silent', 100)).toBe('silent');
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(await outcome('/', 30_000)).toBe('refused');
  });
});
