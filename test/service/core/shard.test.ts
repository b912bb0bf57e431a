import { afterEach, describe, expect, it, vi } from 'vitest';
import { createShard } from '../../../service/core/shard.ts';
import { StoreError } from '../../../service/core/store.ts';
import { until } from '../../support/until.ts';

describe('a shard', () => {
  const shards: ReturnType<typeof createShard>[] = [];
  afterEach(() => {
    for (const { breaker } of shards.splice(0)) breaker.close();
  });

  it('counts the failures of its probes, too: they alone tell what is wrong once the breaker is open', async () => {
    const onError = vi.fn();
    const store = {
      mechanism: 'redis' as const,
      ready: true,
      decideMany: () => Promise.reject(new StoreError('disconnected', 'the connection was closed')),
      probe: () => Promise.reject(new StoreError('noauth', 'NOAUTH Authentication required.')),
      giveBack: () => Promise.reject(new Error('nobody gives back')),
    };
    const events = { onTransition: () => {}, onAnswer: () => {}, onError };
    const shard = createShard('redis', store, { breakerFailures: 1, breakerResetMs: 10, keysMax: 10, ...events });
    shards.push(shard);
    await expect(shard.breaker.decideMany([])).rejects.toThrow('the connection was closed');
    await until('a second probe', () => onError.mock.calls.length >= 3);
    expect(onError.mock.calls.flat().slice(0, 3)).toEqual(['disconnected', 'noauth', 'noauth']);
  });
});
