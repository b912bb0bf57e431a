import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminOf } from '../../../chaos/drivers/redis-node.ts';
import type { Environment } from '../../../chaos/environment.ts';
import { faultKinds, faultOf } from '../../../chaos/faults/index.ts';
import { ping } from '../../../chaos/host/ping.ts';
import { usualBounds } from '../../support/history-builder.ts';
import { type RedisProcess, startRedis } from '../../support/redis.ts';
import { until } from '../../support/until.ts';

const host = '127.0.0.1';
/** Of more memory than a step of the eviction. */
const keys = 500;
const shared = { name: 'redis', instance: undefined };
const specs = faultKinds.flatMap(({ examples }) =>
  examples.filter((spec) => faultOf(spec).needs.includes('redis-config')),
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
      redis: {
        kill: async () => {},
        start: async () => {},
        at: { host, port: redis.port },
        command: (name, ...args) => admin.call(name, ...args),
      },
      prometheusUrl: '',
      versions: {},
      broken: new Promise<never>(() => {}),
      [Symbol.asyncDispose]: async () => {},
    };
  });
  afterAll(() => started.disposeAsync());

  it('has faults', () => expect(specs.length).toBeGreaterThan(14));

  it.each(specs)(
    'suffers from %o as long as it is not healed, which its probe sees, and keeps its keys unless the fault says otherwise',
    async (spec) => {
      const fault = faultOf(spec);
      const look = () => ping(host, redis.port, 400, fault.probe);
      const bites = async () => fault.bites(await look());
      await redis.admin.config('RESETSTAT'); // of the faults before
      for (let i = 0; i < keys; i++) await redis.admin.set(`key-${i}`, spec.kind);
      expect([(await look()).outcome, await bites()]).toEqual(['pong', false]);
      const settings = await settingsOf(redis);
      await fault.inject(environment, shared);
      const seen = [await bites(), await bites(), await bites()];
      await fault.heal(environment, shared);
      expect(seen).toEqual([true, true, true]);
      await until('a healthy Redis', async () => (await look()).outcome === 'pong' && !(await bites()));
      await fault.heal(environment, shared); // safe to repeat
      expect(await bites()).toBe(false);
      expect(await settingsOf(redis)).toEqual(settings);
      const kept = (await redis.admin.mget(Array.from({ length: keys }, (_, i) => `key-${i}`))).filter(
        (value) => value === spec.kind,
      ).length;
      const state = kept === keys ? 'kept' : kept === 0 ? 'lost' : 'perhaps-lost';
      expect(state).toBe(fault.facts(usualBounds).state);
      expect(await redis.admin.keys('failopen-lab*')).toEqual([]);
    },
  );

  it('that the driver has no way to is left alone, and the fault says so', async () => {
    const { command: _, ...without } = environment.redis;
    await expect(faultOf({ kind: 'out-of-memory' }).inject({ ...environment, redis: without }, shared)).rejects.toThrow(
      'The native driver cannot give commands',
    );
  });
});

async function settingsOf({ admin }: RedisProcess): Promise<unknown> {
  return admin.config('GET', '*');
}
