import { afterEach, describe, it, vi } from 'vitest';
import { Engine } from '../../service/engine.ts';
import { until } from '../support/until.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

describe('an engine whose Redis cannot be reached', () => {
  it.each([
    [1, 50],
    [14, 375],
    [undefined, 500],
  ])('tries again with the others in mind: of %s instances after %s ms at the latest', async (instances, mostMs) => {
    vi.spyOn(Math, 'random').mockReturnValue(1 - Number.EPSILON);
    const timers = vi.spyOn(globalThis, 'setTimeout');
    const engine = new Engine(
      {
        redis: { kind: 'borrowed', sendCommand: () => Promise.reject(new Error('Connection is closed.')) },
        redisTimeoutMs: 5,
        breakerFailures: 3,
        breakerResetMs: 1000,
        fallbackKeysMax: 100,
        instances,
      },
      {
        onDecision: () => {},
        onForgiven: async () => {},
        onCause: () => {},
        onEnd: () => {},
        onStoreAnswer: () => {},
        onStoreError: () => {},
        onBreaker: () => {},
        onInstances: () => {},
      },
      () => performance.now() * 1000,
    );
    await until('another attempt', () => timers.mock.calls.some(([, ms]) => ms === mostMs));
    engine.close();
  });
});
