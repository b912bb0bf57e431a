import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NativeParts } from '../../../chaos/drivers/native-parts.ts';
import { startRedis } from '../../../chaos/drivers/native-redis.ts';
import type { Environment } from '../../../chaos/environment.ts';
import type { Fault } from '../../../chaos/faults/fault.ts';
import { faultKinds, faultOf } from '../../../chaos/faults/index.ts';
import { binaries, find } from '../../../chaos/host/binaries.ts';
import { probeLinks, zeroIn } from '../../../chaos/watch/observer.ts';
import { environmentOfRedis } from '../../support/environments.ts';
import { usualBounds } from '../../support/history-builder.ts';
import { temporaryDirectory } from '../../support/lab-processes.ts';
import { until } from '../../support/until.ts';

const shared = { name: 'redis', instance: undefined };
const specs = faultKinds
  .flatMap(({ examples }) => examples)
  .filter((spec) => {
    const { reaches, needs } = faultOf(spec);
    return reaches.includes('shared-store') && !needs.includes('topology') && !needs.includes('redis-clock');
  });
/** Of more memory than a step of the eviction. */
const keys = 500;

describe('a Redis that all share', () => {
  const started = new AsyncDisposableStack();
  let environment: Environment;

  beforeAll(async () => {
    const logs = join(started.use(temporaryDirectory()).path, 'logs');
    mkdirSync(logs);
    const parts = started.use(NativeParts.create(logs));
    const [program] = binaries.filter(({ name }) => name === 'redis-server');
    const { path: command, version } = (program && (await find(program))) ?? { path: 'redis-server', version: '' };
    const redis = await startRedis.single({ parts, command, version, name: 'redis', replicated: false });
    environment = environmentOfRedis(parts, redis);
    parts.broken.catch(() => {});
  });
  afterAll(() => started.disposeAsync());

  const ask = (name: string, ...args: string[]) => environment.redis.command?.(name, ...args);
  const seenBy = async (fault: Fault) =>
    (await probeLinks(environment, fault, [shared], 'broken', zeroIn(0))).map(({ seen }) => seen).join();
  /** In pairs, whose order differs from one process to the next. */
  const settingsNow = async (): Promise<Record<string, unknown>> => {
    const all = (await ask('CONFIG', 'GET', '*')) as string[];
    return Object.fromEntries(all.flatMap((name, i) => (i % 2 === 0 ? [[name, all[i + 1]]] : [])));
  };
  /** Of the keys that the test wrote. */
  const left = async (value: string): Promise<number> =>
    ((await ask('MGET', ...Array.from({ length: keys }, (_, i) => `key-${i}`))) as unknown[]).filter(
      (each) => each === value,
    ).length;

  it('has faults', () => expect(specs.length).toBeGreaterThan(20));

  it.each(specs)(
    'suffers from %o as long as it is not healed, which its probe sees, and loses what the fault says',
    async (spec) => {
      const fault = faultOf(spec);
      await ask('FLUSHALL');
      await ask('CONFIG', 'RESETSTAT');
      await ask('EVAL', `for i = 0, ${keys - 1} do redis.call('SET', 'key-' .. i, ARGV[1]) end`, '0', spec.kind);
      const settings = await settingsNow();
      await until('a healthy Redis', async () => (await seenBy(fault)) === 'healthy');
      await fault.inject(environment, shared);
      const seen = [await seenBy(fault), await seenBy(fault), await seenBy(fault)];
      await fault.heal(environment, shared);
      expect(seen).toEqual(['broken', 'broken', 'broken']);
      await until('a healthy Redis', async () => (await seenBy(fault)) === 'healthy');
      await until('a way to it', async () => (await ask('PING')?.catch(() => undefined)) === 'PONG');
      await fault.heal(environment, shared); // safe to repeat
      await until('a Redis that is still healthy', async () => (await seenBy(fault)) === 'healthy');
      expect(await settingsNow()).toEqual(settings);
      // A probe that writes leaves its key for a millisecond.
      await until('no key of the lab', async () => ((await ask('KEYS', 'failopen-lab*')) as unknown[]).length === 0);
      const { state } = fault.facts(usualBounds);
      const kept = await left(spec.kind);
      if (state === 'lost') expect(kept).toBe(0);
      else if (spec.kind === 'evict') expect(kept).toBeLessThan(keys);
      else expect(kept).toBe(keys);
    },
  );

  it('comes back empty after it was killed, whatever it had saved before', async () => {
    const reloaded = faultOf({ kind: 'loading' });
    await reloaded.inject(environment, shared);
    await reloaded.heal(environment, shared);
    await ask('SET', 'key-0', 'kept');
    const killed = faultOf({ kind: 'redis-kill' });
    await killed.inject(environment, shared);
    await killed.heal(environment, shared);
    await until('a way to it', async () => (await ask('PING')?.catch(() => undefined)) === 'PONG');
    expect(await ask('DBSIZE')).toBe(0);
  });

  it.each(['evict', 'wrong-type'])('that holds nothing breaks no run by %s, of which no look tells', async (kind) => {
    const fault = faultOf({ kind });
    await ask('FLUSHALL');
    await ask('CONFIG', 'RESETSTAT');
    const settings = await settingsNow();
    await fault.inject(environment, shared);
    expect(await seenBy(fault)).toBe('healthy');
    await fault.heal(environment, shared);
    expect({ settings: await settingsNow(), keys: await ask('DBSIZE') }).toEqual({ settings, keys: 0 });
  });

  it.each([
    ['command', 'out-of-memory', 'cannot give commands to the Redis that all share'],
    ['program', 'redis-stop', 'cannot reach the program of the Redis that all share'],
    ['at', 'busy', 'cannot reach the Redis that all share'],
  ] as const)('to which the driver has no %s is left alone by %s, which says so', async (part, kind, why) => {
    const { [part]: _, ...redis } = environment.redis;
    await expect(faultOf({ kind }).inject({ ...environment, redis }, shared)).rejects.toThrow(
      `The native driver ${why}`,
    );
  });
});
