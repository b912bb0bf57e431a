import { connect, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sleep } from '../../../chaos/clock.ts';
import { LabError } from '../../../chaos/errors.ts';
import { freePort } from '../../../chaos/free-port.ts';
import { ping } from '../../../chaos/host/ping.ts';
import { ToxiproxyApi } from '../../../chaos/host/toxiproxy.ts';
import { startToxiproxy } from '../../support/toxiproxy.ts';
import { until } from '../../support/until.ts';

/** For a ping that is to be answered. */
const hungMs = 30_000;

const latency = {
  name: 'latency_downstream',
  type: 'latency',
  stream: 'downstream',
  attributes: { latency: 100, jitter: 0 },
} as const;
const timeout = { name: 'timeout_upstream', type: 'timeout', stream: 'upstream', attributes: { timeout: 0 } } as const;

describe('the API of a Toxiproxy that runs', () => {
  const started = new AsyncDisposableStack();
  let api: ToxiproxyApi;
  let upstream: number;
  let proxies = 0;
  /** By the upstream. */
  let answered = 0;
  const proxy = async () => {
    const name = `link-${proxies++}`;
    return { name, port: await api.createProxy(name, `127.0.0.1:${upstream}`) };
  };

  beforeAll(async () => {
    ({ api } = started.use(await startToxiproxy()));
    // A Redis as far as PING goes.
    const server = createServer((socket) => {
      socket.on('data', () => {
        socket.write('+PONG\r\n');
        answered++;
      });
      socket.on('error', () => {});
    });
    upstream = await freePort();
    await new Promise<void>((resolve) => server.listen(upstream, '127.0.0.1', resolve));
    started.defer(() => closed(server));
  });
  afterAll(() => started.disposeAsync());

  it('tells its version', async () => {
    expect(await api.version()).toMatch(/\S/);
  });

  it('makes a proxy through which the upstream answers', async () => {
    const { port } = await proxy();
    expect(await ping('127.0.0.1', port, hungMs)).toMatchObject({ outcome: 'pong' });
  });

  it('takes a toxic off that holds replies for a connection which is closed, though that takes 5 s', async () => {
    const { name, port } = await proxy();
    await api.addToxic(name, { ...latency, name: 'stall', type: 'bandwidth', attributes: { rate: 0 } });
    // Toxiproxy hangs on those of them whose replies it was about to pass on.
    const clients = Array.from({ length: 8 }, () => connect({ port, host: '127.0.0.1' }).on('error', () => {}));
    for (let i = 0; i < 10; i++) {
      const before = answered;
      for (const client of clients) client.write('PING\r\n'); // each is answered in a packet of its own
      await until('their answers', () => answered === before + clients.length);
      await sleep(50);
    }
    for (const client of clients) client.destroy();
    await sleep(50);
    const beganMs = performance.now();
    await api.removeToxics(name);
    expect(performance.now() - beganMs).toBeGreaterThan(4900);
    expect(await api.toxicsOf(name)).toEqual([]);
    expect(await ping('127.0.0.1', port, hungMs)).toMatchObject({ outcome: 'pong' });
  });

  it('adds toxics, lists them and takes them all off', async () => {
    const { name } = await proxy();
    expect(await api.toxicsOf(name)).toEqual([]);
    await api.addToxic(name, latency);
    await api.addToxic(name, timeout);
    expect((await api.toxicsOf(name)).sort()).toEqual(['latency_downstream', 'timeout_upstream']);
    await api.removeToxics(name);
    expect(await api.toxicsOf(name)).toEqual([]);
  });

  it('takes off what is not there without complaint', async () => {
    const { name } = await proxy();
    await api.removeToxics(name);
    expect(await api.toxicsOf(name)).toEqual([]);
  });

  it('really delays by a latency, and no more once it is taken off', async () => {
    const { name, port } = await proxy();
    await api.addToxic(name, latency);
    for (let i = 0; i < 3; i++) expect((await ping('127.0.0.1', port, hungMs)).ms).toBeGreaterThanOrEqual(99);
    await api.removeToxics(name);
    // The machine may delay one ping as long, but not every one.
    await until('a ping without the latency', async () => (await ping('127.0.0.1', port, hungMs)).ms < 99);
  });

  it('really silences by a timeout of 0', async () => {
    const { name, port } = await proxy();
    await api.addToxic(name, timeout);
    expect(await ping('127.0.0.1', port, 200)).toMatchObject({ outcome: 'silent' });
  });

  it('rejects with what was tried, for a proxy that does not exist or exists already', async () => {
    await expect(api.addToxic('nowhere', latency)).rejects.toThrow(
      /^Toxiproxy: add latency_downstream to nowhere: .*404/,
    );
    await expect(api.toxicsOf('nowhere')).rejects.toThrow(LabError);
    const { name } = await proxy();
    await expect(api.createProxy(name, `127.0.0.1:${upstream}`)).rejects.toThrow(
      /^Toxiproxy: create proxy link-\d+: .*409/,
    );
  });
});

describe('the API of a Toxiproxy that does not', () => {
  it('rejects within its deadline when nothing answers', async () => {
    const server = createServer(() => {}); // accepts, and is silent
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address() as { port: number };
    const silent = new ToxiproxyApi(`http://127.0.0.1:${address.port}`);
    let dueMs = Number.NaN;
    const due = setTimeout(() => {
      dueMs = performance.now();
    }, 5000);
    await expect(silent.removeToxics('link')).rejects.toThrow(
      new LabError('Toxiproxy did not answer within 5 s: list toxics of link'),
    );
    expect(performance.now() - dueMs).toBeLessThan(500); // a busy machine is late for both
    clearTimeout(due);
    server.close();
  });

  it('rejects with what was tried when nobody listens', async () => {
    const nobody = new ToxiproxyApi(`http://127.0.0.1:${await freePort()}`);
    await expect(nobody.addToxic('link', latency)).rejects.toThrow(/^Toxiproxy: add latency_downstream to link: /);
    await expect(nobody.version()).rejects.toThrow(LabError);
  });

  it('rejects when what listens is no Toxiproxy', async () => {
    const server = createServer((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address() as { port: number };
    const other = new ToxiproxyApi(`http://127.0.0.1:${address.port}`);
    await expect(other.createProxy('link', '127.0.0.1:1')).rejects.toThrow(LabError);
    await expect(other.addToxic('link', latency)).rejects.toThrow(LabError);
    server.close();
  });
});

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
