import { connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sleep } from '../../../chaos/clock.ts';
import type { Environment, Instance } from '../../../chaos/environment.ts';
import { LabError } from '../../../chaos/errors.ts';
import { faultOf } from '../../../chaos/faults/index.ts';
import { type Ping, ping } from '../../../chaos/host/ping.ts';
import { probeLinks, zeroIn } from '../../../chaos/watch/observer.ts';
import { startToxiproxy, type ToxiproxyProcess } from '../../support/toxiproxy.ts';
import { until } from '../../support/until.ts';

const host = '127.0.0.1';
/** Only tells that something hangs. */
const hungMs = 30_000;
/** Longer than anybody waits for one look. */
const slowest = { kind: 'slow-close', delayMs: 3000 };
const request = '*1\r\n$4\r\nPING\r\n';

describe('a store link', () => {
  const started = new AsyncDisposableStack();
  let toxiproxy: ToxiproxyProcess;
  let links = 0;

  beforeAll(async () => {
    toxiproxy = started.use(await startToxiproxy());
  });
  afterAll(() => started.disposeAsync());

  /** A Redis as far as PING goes; counts what reaches it. */
  async function startPonger() {
    const redis = { pings: 0 };
    const server = createServer((socket) => {
      let received = '';
      socket.setEncoding('latin1').on('data', (text: string) => {
        received += text;
        const isWhole = received.split('\r\n').length >= 2 + 2 * Number(received[1]);
        if (!isWhole) return;
        const quits = received.includes('QUIT');
        received = '';
        if (quits) return socket.end('+OK\r\n');
        redis.pings++;
        socket.write('+PONG\r\n');
      });
      socket.on('error', () => {});
    });
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    started.defer(() => void server.close());
    return { server, redis };
  }

  /** To a Redis of its own: nothing that an earlier test sent reaches it late. */
  async function createLink() {
    const { server, redis } = await startPonger();
    const address = server.address();
    if (!address || typeof address === 'string') throw new Error('no port');
    const proxy = `store-${links++}`;
    const port = await toxiproxy.api.createProxy(proxy, `${host}:${address.port}`);
    const storeLink = { proxy, host, port };
    const instance: Instance = { name: 'limiter-1', control: false, frontUrl: '', url: '', storeLink };
    const environment: Environment = {
      driver: 'the test',
      instances: [instance],
      toxiproxy: toxiproxy.api,
      redis: { kill: async () => {}, start: async () => {} },
      prometheusUrl: '',
      versions: {},
      broken: new Promise<never>(() => {}),
      [Symbol.asyncDispose]: async () => {},
    };
    return { port, environment, instance, redis };
  }

  /** Asks over a connection that stays; tells what came back and whether it was closed. */
  async function asking(port: number) {
    const socket: Socket = connect({ host, port });
    const state = { received: '', isClosed: false };
    socket.setEncoding('latin1').on('data', (text: string) => {
      state.received += text;
    });
    socket.on('close', () => {
      state.isClosed = true;
    });
    socket.on('error', () => {});
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.write(request);
    return { state, [Symbol.dispose]: () => socket.destroy() };
  }

  it('that stalls answers nothing, which its probe sees, and delivers what it held when it is healed', async () => {
    const { port, environment, instance, redis } = await createLink();
    const fault = faultOf({ kind: 'stall' });
    await fault.inject(environment, { name: instance.name, instance });
    using asked = await asking(port);
    const seen = await ping(host, port, 200);
    expect([seen.outcome, fault.bites(seen), redis.pings, asked.state]).toEqual([
      'silent',
      true,
      0,
      { received: '', isClosed: false },
    ]);
    await fault.heal(environment, { name: instance.name, instance });
    await until('the answer that was held', () => asked.state.received !== '');
    expect(asked.state).toEqual({ received: '+PONG\r\n', isClosed: false });
    const healed = await ping(host, port, hungMs);
    expect([healed.outcome, fault.bites(healed)]).toEqual(['pong', false]);
  });

  it('that is partitioned answers nothing either, but what it dropped never arrives', async () => {
    const { port, environment, instance } = await createLink();
    const fault = faultOf({ kind: 'partition' });
    await fault.inject(environment, { name: instance.name, instance });
    using asked = await asking(port);
    expect(fault.bites(await ping(host, port, 200))).toBe(true);
    await fault.heal(environment, { name: instance.name, instance });
    await until('the end of the connection', () => asked.state.isClosed);
    expect(asked.state.received).toBe('');
  });

  it('that is narrow answers late, by as much as its bytes take, until it is healed', async () => {
    const { port, environment, instance } = await createLink();
    const fault = faultOf({ kind: 'bandwidth', kilobytesPerSecond: 1 });
    const target = { name: instance.name, instance };
    const quick = () => until('a quick answer', async () => !fault.bites(await ping(host, port, hungMs)));
    await quick();
    await fault.inject(environment, target);
    const during = await ping(host, port, hungMs);
    await fault.heal(environment, target);
    expect([during.outcome, fault.bites(during)]).toEqual(['pong', true]);
    await quick();
  });

  it('that is down closes what is open and refuses what comes, until it is healed', async () => {
    const { port, environment, instance } = await createLink();
    const fault = faultOf({ kind: 'down' });
    const target = { name: instance.name, instance };
    using asked = await asking(port);
    await fault.inject(environment, target);
    await until('the end of the connection', () => asked.state.isClosed);
    expect(fault.bites(await ping(host, port, hungMs))).toBe(true);
    await fault.heal(environment, target);
    const healed = await ping(host, port, hungMs);
    expect([healed.outcome, fault.bites(healed)]).toEqual(['pong', false]);
  });

  it.each([
    { kind: 'partition', direction: 'upstream' },
    { kind: 'partition', direction: 'downstream' },
    { kind: 'stall', direction: 'upstream' },
    { kind: 'stall', direction: 'downstream' },
    { kind: 'latency', latencyMs: 60, direction: 'upstream' },
    { kind: 'latency', latencyMs: 60, direction: 'downstream' },
    { kind: 'slicer', averageBytes: 1, delayUs: 3000 },
    { kind: 'slicer', averageBytes: 7, delayUs: 60_000 },
    { kind: 'slicer', averageBytes: 17, delayUs: 1000 },
    { kind: 'limit-data', bytes: 1 },
    { kind: 'limit-data', bytes: 6 },
    { kind: 'reset-peer' },
    { kind: 'accept-close' },
    { kind: 'slow-close', delayMs: 300 },
    slowest,
  ])('is broken by %o as long as it is not healed, and its probe sees both', async (spec) => {
    const { port, environment, instance } = await createLink();
    const fault = faultOf(spec);
    const target = { name: instance.name, instance };
    // What shows by silence, or by a wait of seconds, is not waited for longer; all else has the time that a busy machine takes.
    const isSilent = ['partition', 'stall'].includes(spec.kind) || spec === slowest;
    const looks = async () => fault.bites(await ping(host, port, isSilent ? 400 : hungMs, fault.probe));
    await until('a quick answer', async () => !(await looks()));
    await fault.inject(environment, target);
    expect([await looks(), await looks(), await looks()]).toEqual([true, true, true]);
    await fault.heal(environment, target);
    await until('a healthy link', async () => !(await looks()));
    await fault.heal(environment, target); // safe to repeat
    await until('a link that is still healthy', async () => !(await looks()));
  });

  it('that two faults are on at once, with toxics of the same type, keeps one when the other is healed', async () => {
    const { port, environment, instance } = await createLink();
    const target = { name: instance.name, instance };
    const [stall, narrow] = [faultOf({ kind: 'stall' }), faultOf({ kind: 'bandwidth', kilobytesPerSecond: 1 })];
    await narrow.inject(environment, target);
    await stall.inject(environment, target);
    expect(stall.bites(await ping(host, port, 200))).toBe(true);
    await stall.heal(environment, target);
    const during = await ping(host, port, hungMs);
    expect([during.outcome, narrow.bites(during)]).toEqual(['pong', true]);
    await narrow.heal(environment, target);
    await until('a quick answer', async () => !narrow.bites(await ping(host, port, hungMs)));
  });

  it.each([
    ['upstream', 0],
    ['downstream', 1],
  ] as const)('that loses what goes %s lets Redis see %i of 1 request', async (direction, seen) => {
    const { port, environment, instance, redis } = await createLink();
    await faultOf({ kind: 'partition', direction }).inject(environment, { name: instance.name, instance });
    const { outcome } = await ping(host, port, 400);
    await until('what Redis sees', () => redis.pings >= seen);
    expect([outcome, redis.pings]).toEqual(['silent', seen]);
  });

  it('of which some connections are dead answers on the others, and its probe finds one of the dead', async () => {
    const { port, environment, instance } = await createLink();
    const fault = faultOf({ kind: 'dead-connections', share: 0.5 });
    const target = { name: instance.name, instance };
    const seen = async () => (await probeLinks(environment, fault, [target], 'broken', zeroIn(0))).map((it) => it.seen);
    await until('a healthy link', async () => (await seen())[0] === 'healthy');
    await fault.inject(environment, target);
    const outcomes: Ping['outcome'][] = [];
    const pings = Array.from({ length: 40 }, async () => outcomes.push((await ping(host, port, hungMs)).outcome));
    await until('an answer on a connection that lives', () => outcomes.length > 0);
    expect([await seen(), await seen(), await seen()].flat()).toEqual(['broken', 'broken', 'broken']);
    expect(outcomes.length).toBeLessThan(pings.length);
    await fault.heal(environment, target);
    await Promise.all(pings);
    expect(new Set(outcomes)).toEqual(new Set(['pong'])); // late on those that were dead
    await until('a healthy link', async () => (await seen())[0] === 'healthy');
  });

  it('whose latency grows answers the later, the longer it lasts, and at once when it is healed', async () => {
    const { port, environment, instance } = await createLink();
    const fault = faultOf({ kind: 'latency-ramp', latencyMs: 200, overMs: 1000, steps: 4 });
    const target = { name: instance.name, instance };
    const answeredMs = async () => (await ping(host, port, hungMs)).ms;
    await fault.inject(environment, target);
    expect(await answeredMs()).toBeGreaterThanOrEqual(100);
    await until('the last step', async () => (await answeredMs()) >= 400);
    expect(fault.bites(await ping(host, port, hungMs))).toBe(true);
    await fault.heal(environment, target);
    await until('a quick answer', async () => !fault.bites(await ping(host, port, hungMs)));
    await sleep(300); // a step that were still to come would have come
    expect(await toxiproxy.api.toxicsOf(instance.storeLink.proxy as string)).toEqual([]);
  });

  it('that is healed while its latency grows has no latency afterwards', async () => {
    const { port, environment, instance } = await createLink();
    const fault = faultOf({ kind: 'latency-ramp', latencyMs: 200, overMs: 100, steps: 100 });
    const target = { name: instance.name, instance };
    await fault.inject(environment, target);
    await sleep(20);
    await fault.heal(environment, target);
    await fault.heal(environment, target); // safe to repeat
    await until('a quick answer', async () => !fault.bites(await ping(host, port, hungMs)));
  });

  it('that is not there cannot be broken, and the fault says so', async () => {
    const { environment, instance } = await createLink();
    const direct = { ...instance, storeLink: { ...instance.storeLink, proxy: undefined } };
    await expect(
      faultOf({ kind: 'stall' }).inject(environment, { name: 'limiter-1', instance: direct }),
    ).rejects.toThrow(new LabError('limiter-1 reaches its Redis directly: there is no link to break'));
  });
});
