import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startLimiter } from '../../../chaos/drivers/native-limiter.ts';
import { loopback, NativeParts } from '../../../chaos/drivers/native-parts.ts';
import { startRedis } from '../../../chaos/drivers/native-redis.ts';
import { noClockBecause, settableClock } from '../../../chaos/drivers/settable-clock.ts';
import type { Environment, Instance } from '../../../chaos/environment.ts';
import type { Target } from '../../../chaos/faults/fault.ts';
import { faultKinds, faultOf } from '../../../chaos/faults/index.ts';
import { freePort } from '../../../chaos/free-port.ts';
import { plain } from '../../../chaos/targets/target.ts';
import { probeLinks, zeroIn } from '../../../chaos/watch/observer.ts';
import { environmentOf, environmentOfRedis } from '../../support/environments.ts';
import { temporaryDirectory } from '../../support/lab-processes.ts';

const shared = { name: 'redis', instance: undefined };
const dayS = 86_400;

describe.skipIf(noClockBecause() !== undefined)('the clock of Redis', () => {
  const started = new AsyncDisposableStack();
  let environment: Environment;

  beforeAll(async () => {
    const logs = join(started.use(temporaryDirectory()).path, 'logs');
    mkdirSync(logs);
    const parts = started.use(NativeParts.create(logs));
    const options = { parts, command: 'redis-server', name: 'redis', replicated: false, isClockSet: true };
    const redis = await startRedis.single(options);
    environment = environmentOfRedis(parts, redis);
    parts.broken.catch(() => {});
  });
  afterAll(() => started.disposeAsync());

  const ask = (name: string, ...args: string[]) => environment.redis.command?.(name, ...args);
  const aheadS = async () => Number(((await ask('TIME')) as string[])[0]) - Date.now() / 1000;

  it('goes forward by a day, and every bucket expires; the heal takes it for right, and it may go forward again', async () => {
    const fault = faultOf({ kind: 'clock-forward', forwardS: dayS });
    const seen = async () =>
      (await probeLinks(environment, fault, [shared], 'broken', zeroIn(0))).map((probe) => probe.seen).join();
    for (const days of [1, 2]) {
      await ask('SET', 'bucket', 'nearly full', 'PX', '60000');
      expect(await seen()).toBe('healthy');
      await fault.inject(environment, shared);
      expect([await seen(), await seen()]).toEqual(['broken', 'broken']);
      expect(Math.abs((await aheadS()) - days * dayS)).toBeLessThan(5);
      expect(await ask('GET', 'bucket')).toBeNull();
      await fault.heal(environment, shared);
      await fault.heal(environment, shared); // safe to repeat
      expect(await seen()).toBe('healthy');
    }
  });

  it('goes back by a day, and every bucket stays as it is; the heal takes it for right', async () => {
    const fault = faultOf({ kind: 'clock-back', backS: dayS });
    const seen = async () =>
      (await probeLinks(environment, fault, [shared], 'broken', zeroIn(0))).map((probe) => probe.seen).join();
    const beforeS = await aheadS();
    await ask('SET', 'bucket', 'nearly full', 'PX', '60000');
    expect(await seen()).toBe('healthy');
    await fault.inject(environment, shared);
    expect([await seen(), await seen()]).toEqual(['broken', 'broken']);
    expect(Math.abs((await aheadS()) - beforeS + dayS)).toBeLessThan(5);
    expect(await ask('GET', 'bucket')).toBe('nearly full');
    await fault.heal(environment, shared);
    await fault.heal(environment, shared); // safe to repeat
    expect(await seen()).toBe('healthy');
  });

  it('that the driver cannot set is left alone, and the fault says so', async () => {
    const { setAhead: _, ...redis } = environment.redis;
    const inject = faultOf({ kind: 'clock-forward', forwardS: dayS }).inject({ ...environment, redis }, shared);
    await expect(inject).rejects.toThrow('The native driver cannot set the clock of the Redis that all share');
  });
});

/** Tells its clocks, in milliseconds. */
const program = `
require('node:http').createServer((_, response) => response.end(JSON.stringify([Date.now(), performance.now()])))
  .listen(process.env.PORT, process.env.HOST);`;

describe.skipIf(noClockBecause() !== undefined)('the clocks of an instance', () => {
  const started = new AsyncDisposableStack();
  let instance: Instance;
  let environment: Environment;
  let hit: Target;

  beforeAll(async () => {
    const directory = started.use(temporaryDirectory()).path;
    mkdirSync(join(directory, 'logs'));
    writeFileSync(join(directory, 'limiter.cjs'), program);
    const parts = started.use(NativeParts.create(join(directory, 'logs')));
    const port = await freePort();
    const url = `http://${loopback}:${port}`;
    const target = { ...plain, name: 'other', start: { node: join(directory, 'limiter.cjs') } };
    const clock = await settableClock(parts.data, 'limiter-1');
    await startLimiter(parts, target, 'limiter-1', { HOST: loopback, PORT: String(port), ...clock.env }, url);
    const storeLink = { proxy: undefined, host: loopback, port };
    instance = { name: 'limiter-1', control: false, frontUrl: url, url, storeLink, clock };
    environment = environmentOf(parts, instance);
    hit = { name: instance.name, instance };
  });
  afterAll(() => started.disposeAsync());

  /** How far each is ahead of the machine's, but for a constant: at least, and at most. */
  const aheadMs = async () => {
    const sent = [Date.now(), performance.now()];
    const told = (await (await fetch(instance.url)).json()) as number[];
    const received = [Date.now(), performance.now()];
    return told.map((ms, i) => ({ least: ms - (received[i] ?? 0) - 1, most: ms - (sent[i] ?? 0) + 1 }));
  };
  const gainedMs = () => instance.clock?.gainedMs() ?? Number.NaN;

  it.each(faultKinds.find(({ kind }) => kind === 'clock-drift')?.examples ?? [])(
    'suffer from %o as long as it is not healed, which its probe sees, and go on from where they are afterwards',
    async (spec) => {
      const fault = faultOf(spec);
      const ppm = Number(spec.ppm);
      const seen = async () =>
        (await probeLinks(environment, fault, [hit], 'broken', zeroIn(0))).map((probe) => probe.seen).join();
      const [before, gainedBeforeMs] = [await aheadMs(), gainedMs()];
      expect(await seen()).toBe('healthy');
      const beginMs = performance.now();
      await fault.inject(environment, hit);
      const begunMs = performance.now();
      expect([await seen(), await seen()]).toEqual(['broken', 'broken']);
      const endMs = performance.now();
      await fault.heal(environment, hit);
      const endedMs = performance.now();
      await fault.heal(environment, hit); // safe to repeat
      expect(await seen()).toBe('healthy');
      const [after, gained] = [await aheadMs(), gainedMs() - gainedBeforeMs];
      const expected = [endMs - begunMs, endedMs - beginMs].map((ms) => (ms * ppm) / 1e6);
      expect(gained).toBeGreaterThanOrEqual(Math.min(...expected) - 0.01);
      expect(gained).toBeLessThanOrEqual(Math.max(...expected) + 0.01);
      for (const [i, was] of before.entries()) {
        const is = after[i] as (typeof before)[number];
        expect(gained).toBeGreaterThanOrEqual(is.least - was.most);
        expect(gained).toBeLessThanOrEqual(is.most - was.least);
      }
    },
  );

  it('are left alone where the driver cannot set them, and the fault says so', async () => {
    const { clock: _, ...others } = instance;
    const inject = faultOf({ kind: 'clock-drift', ppm: 500 }).inject(environment, { ...hit, instance: others });
    await expect(inject).rejects.toThrow('The native driver cannot set the clock of limiter-1');
  });
});
