import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NativeParts } from '../../../chaos/drivers/native-parts.ts';
import { type NativeRedis, startRedis } from '../../../chaos/drivers/native-redis.ts';
import type { Environment, Instance } from '../../../chaos/environment.ts';
import { faultOf } from '../../../chaos/faults/index.ts';
import { noNamespaceBecause } from '../../../chaos/host/namespace.ts';
import { ping } from '../../../chaos/host/ping.ts';
import { environmentOf } from '../../support/environments.ts';
import { temporaryDirectory } from '../../support/lab-processes.ts';
import { startToxiproxy, type ToxiproxyProcess } from '../../support/toxiproxy.ts';
import { until } from '../../support/until.ts';

describe.skipIf(noNamespaceBecause() !== undefined)('a store link through a network namespace', () => {
  const started = new AsyncDisposableStack();
  let parts: NativeParts;
  let redis: NativeRedis;
  let toxiproxy: ToxiproxyProcess;
  let links = 0;

  beforeAll(async () => {
    const logs = join(started.use(temporaryDirectory()).path, 'logs');
    mkdirSync(logs);
    parts = started.use(NativeParts.create(logs));
    parts.broken.catch(() => {});
    const options = { parts, command: 'redis-server', name: 'redis', replicated: false };
    redis = await startRedis.single({ ...options, namespace: await parts.namespace() });
    toxiproxy = started.use(await startToxiproxy());
  });
  afterAll(() => started.disposeAsync());

  async function link() {
    const name = `limiter-${++links}`;
    const { storeLink } = await redis.wayFrom(name, toxiproxy.api);
    const instance: Instance = { name, control: false, frontUrl: '', url: '', storeLink };
    const environment: Environment = environmentOf(parts, instance, redis);
    return { environment, target: { name, instance }, ...storeLink };
  }
  type Link = Awaited<ReturnType<typeof link>>;
  const seen = async ({ host, port }: Link, msMax: number) => (await ping(host, port, msMax)).outcome;
  /** As long as an answer takes on a busy machine; and as long as to wait for one that does not come. */
  const [hungMs, silentMs] = [30_000, 300];
  const counted = async () => Number((await redis.command?.('GET', 'count')) ?? 0);

  it.each(['both', 'upstream', 'downstream'])(
    'loses every packet %s until it is healed, and the other link none',
    async (direction) => {
      const [one, other] = [await link(), await link()];
      const fault = faultOf({ kind: 'blackhole', direction });
      const { environment, target } = one;
      expect([await seen(one, hungMs), await seen(other, hungMs)]).toEqual(['pong', 'pong']);
      await fault.inject(environment, target);
      await fault.inject(environment, target); // safe to repeat
      for (let i = 0; i < 3; i++) expect(await seen(one, silentMs)).toBe('silent');
      expect(await seen(other, hungMs)).toBe('pong');
      expect(fault.bites(await ping(one.host, one.port, silentMs))).toBe(true);
      await fault.heal(environment, target);
      await fault.heal(environment, target); // safe to repeat
      expect([await seen(one, hungMs), await seen(other, hungMs)]).toEqual(['pong', 'pong']);
    },
  );

  it.each([
    ['upstream', 0],
    ['downstream', 1],
  ])(
    'that loses what goes %s lets Redis do %i of 1 command, and tells late and once what it did',
    async (way, done) => {
      const { environment, target, host, port } = await link();
      const fault = faultOf({ kind: 'blackhole', direction: way });
      const client = new Redis({ host, port });
      try {
        await client.ping();
        const before = await counted();
        await fault.inject(environment, target);
        let reply: unknown;
        const asked = client.incr('count').then((count) => {
          reply = count;
        });
        if (done === 1) await until('what Redis does', async () => (await counted()) > before);
        await ping(host, port, silentMs); // as long as a packet takes many times over
        expect([reply, (await counted()) - before]).toEqual([undefined, done]);
        await fault.heal(environment, target);
        await asked;
        expect([reply, await counted()]).toEqual([before + 1, before + 1]);
      } finally {
        client.disconnect();
      }
    },
  );

  it('that there is none of cannot lose any, and the fault says so', async () => {
    const { environment, target } = await link();
    const { packets: _, ...storeLink } = target.instance.storeLink;
    const inject = faultOf({ kind: 'blackhole' }).inject(environment, {
      ...target,
      instance: { ...target.instance, storeLink },
    });
    await expect(inject).rejects.toThrow('There is no network namespace between limiter-');
  });
});
