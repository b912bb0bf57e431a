import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NativeParts } from '../../../chaos/drivers/native-parts.ts';
import { startRedis } from '../../../chaos/drivers/native-redis.ts';
import { noClockBecause } from '../../../chaos/drivers/settable-clock.ts';
import type { Environment } from '../../../chaos/environment.ts';
import { faultOf } from '../../../chaos/faults/index.ts';
import { probeLinks, zeroIn } from '../../../chaos/watch/observer.ts';
import { environmentOfRedis } from '../../support/environments.ts';
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

  it('that the driver cannot set is left alone, and the fault says so', async () => {
    const { setAhead: _, ...redis } = environment.redis;
    const inject = faultOf({ kind: 'clock-forward', forwardS: dayS }).inject({ ...environment, redis }, shared);
    await expect(inject).rejects.toThrow('The native driver cannot set the clock of the Redis that all share');
  });
});
