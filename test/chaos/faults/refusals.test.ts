import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminOf } from '../../../chaos/drivers/redis-node.ts';
import type { Environment } from '../../../chaos/environment.ts';
import { faultKinds, faultOf } from '../../../chaos/faults/index.ts';
import { ping } from '../../../chaos/host/ping.ts';
import { type RedisProcess, startRedis } from '../../support/redis.ts';
import { until } from '../../support/until.ts';

const host = '127.0.0.1';
const shared = { name: 'redis', instance: undefined };
const kinds = faultKinds.filter(({ examples }) =>
  examples.some((spec) => faultOf(spec).needs.includes('redis-config')),
);

describe('a Redis that all share', () => {
  const started = new AsyncDisposableStack();
  let redis: RedisProcess;
  let environment: Environment;

  beforeAll(async () => {
    redis = started.use(await startRedis());
    const admin = await adminOf(host, redis.port);
    started.defer(() => admin.disconnect());
    environment = {
      driver: 'native',
      instances: [],
      toxiproxy: { addToxic: async () => {}, removeToxics: async () => {}, setEnabled: async () => {} },
      redis: { kill: async () => {}, start: async () => {}, command: (name, ...args) => admin.call(name, ...args) },
      prometheusUrl: '',
      versions: {},
      broken: new Promise<never>(() => {}),
      [Symbol.asyncDispose]: async () => {},
    };
  });
  afterAll(() => started.disposeAsync());

  it('has faults', () => expect(kinds.length).toBeGreaterThan(5));

  it.each(kinds.map(({ kind }) => kind))(
    'refuses by %s as long as it is not healed, which its probe sees, and keeps its keys',
    async (kind) => {
      const fault = faultOf({ kind });
      const look = () => ping(host, redis.port, 2000, fault.probe);
      const bites = async () => fault.bites(await look());
      await redis.admin.set('kept', kind);
      expect(await look()).toMatchObject({ outcome: 'pong' });
      await fault.inject(environment, shared);
      const seen = [await bites(), await bites(), await bites()];
      await fault.heal(environment, shared);
      expect(seen).toEqual([true, true, true]);
      await until('a healthy Redis', async () => (await look()).outcome === 'pong');
      await fault.heal(environment, shared); // safe to repeat
      expect(await bites()).toBe(false);
      expect(await redis.admin.get('kept')).toBe(kind);
    },
  );

  it('that the driver has no way to is left alone, and the fault says so', async () => {
    const { command: _, ...without } = environment.redis;
    await expect(faultOf({ kind: 'out-of-memory' }).inject({ ...environment, redis: without }, shared)).rejects.toThrow(
      'The native driver cannot give commands',
    );
  });
});
