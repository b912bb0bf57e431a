import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../service/config/env.ts';
import { shareOf } from '../../../service/config/share.ts';
import { type Readiness, readinessOf } from '../../../service/doors/readiness.ts';
import { type MetricsSnapshot, pageOf } from '../../../service/metrics/metrics.ts';
import { restartMs, WorkerSlot } from '../../../service/workers/worker-slot.ts';
import { until } from '../../support/until.ts';

describe('restartMs', () => {
  it('doubles from 100 ms to 10 s, and takes up to half of it off by chance', () => {
    const deaths = [1, 2, 3, 4, 5, 6, 7, 8, 9, 100];
    expect(deaths.map((n) => restartMs(n, () => 0))).toEqual([50, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
    expect(deaths.map((n) => restartMs(n, () => 0.999999))).toEqual([
      100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000, 10000,
    ]);
  });
});

describe('shareOf', () => {
  const share = (env: Record<string, string>) => {
    const { policies, fallbackKeysMax, instances } = shareOf(readConfig(env));
    const limit = policies[0]?.limits[0];
    return [limit?.shared.capacity, limit?.fallback.capacity, fallbackKeysMax, instances];
  };

  it('divides what one instance has, and never down to nothing', () => {
    expect([
      share({ WORKERS: '1', RATE_LIMIT_BURST: '7', FALLBACK_MAX_KEYS: '101', INSTANCES: '3' }),
      share({ WORKERS: '2', RATE_LIMIT_BURST: '7', FALLBACK_MAX_KEYS: '101', INSTANCES: '3' }),
      share({ WORKERS: '8', RATE_LIMIT_BURST: '7', FALLBACK_MAX_KEYS: '7' }),
    ]).toEqual([
      [5, 7, 101, 3],
      [5, 3, 50, 6],
      [5, 1, 1, undefined],
    ]);
  });
});

describe('readinessOf', () => {
  const ready = (state: Readiness['breaker']['state'], atMs: number): Readiness => ({
    status: 'ready',
    mechanism: state === 'closed' ? 'redis' : 'fallback',
    breaker: { state, transitions: [{ atMs, shard: 'localhost:6379', from: 'closed', to: 'open' }] },
    redis: state === 'closed' ? 'connected' : 'disconnected',
    causes: state === 'closed' ? [] : [{ shard: 'localhost:6379', reason: 'noauth', message: 'NOAUTH' }],
    instances: atMs,
  });

  it('tells the worst of all workers, each cause once, and whose breaker moved, in the order of time', () => {
    expect(
      readinessOf(
        new Map([
          [1, ready('closed', 5)],
          [2, ready('open', 4)],
          [3, ready('open', 3)],
        ]),
      ),
    ).toEqual({
      status: 'ready',
      mechanism: 'fallback',
      breaker: {
        state: 'open',
        transitions: [
          { atMs: 3, shard: 'worker 3 localhost:6379', from: 'closed', to: 'open' },
          { atMs: 4, shard: 'worker 2 localhost:6379', from: 'closed', to: 'open' },
          { atMs: 5, shard: 'worker 1 localhost:6379', from: 'closed', to: 'open' },
        ],
      },
      redis: 'disconnected',
      causes: [{ shard: 'localhost:6379', reason: 'noauth', message: 'NOAUTH' }],
      instances: 5,
    });
  });
});

/** A process that only says what a test makes it say. */
class FakeChild extends EventEmitter {
  pid: number | undefined = 1;
  connected = true;
  send() {}

  kill() {
    this.connected = false;
    this.emit('exit', null, 'SIGKILL');
  }
}

describe('a slot', () => {
  it('waits and tries again when a worker cannot even be started', async () => {
    const children: FakeChild[] = [];
    const slot = slotWith(children);
    const child = children[0] as FakeChild;
    child.pid = undefined; // what Node leaves when the system has no process to give
    child.emit('error', new Error('spawn EAGAIN'));
    await until('the next one', () => children.length === 2);
    await slot.stop(0);
  });
});

/** A slot whose workers never come by themselves; `slot.start()` stands for the wait's end. */
function slotWith(children: FakeChild[]) {
  const slot = new WorkerSlot({
    number: 1,
    fork: () => {
      const child = new FakeChild();
      children.push(child);
      return child as unknown as ChildProcess;
    },
    log: pino({ level: 'silent' }),
    greeting: () => ({ type: 'written', written: {} }),
    random: () => 0.5,
    onRestart: () => {},
    onMessage: () => {},
    onFree: () => {},
    onEnd: () => {},
  });
  slot.start();
  return slot;
}

const snapshotOf = (seconds: number, keys: number): MetricsSnapshot =>
  JSON.parse(
    JSON.stringify([
      {
        name: 'seconds_total',
        help: '-',
        type: 'counter',
        aggregator: 'sum',
        values: [{ value: seconds, labels: {} }],
      },
      { name: 'keys', help: '-', type: 'gauge', aggregator: 'sum', values: [{ value: keys, labels: {} }] },
    ]),
  );

const valuesOf = async (slots: readonly WorkerSlot[]) => {
  const page = await pageOf(slots.map(({ metrics }) => metrics));
  return Object.fromEntries(
    page
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.split(' ')[0], Number(line.split(' ')[1])]),
  );
};

describe("a slot's metrics", () => {
  it('keep what the dead have counted, and forget what only the living are', async () => {
    const children: FakeChild[] = [];
    const slot = slotWith(children);
    children[0]?.emit('message', { type: 'counted', metrics: snapshotOf(3, 7) });
    expect(await valuesOf([slot])).toEqual({ seconds_total: 3, keys: 7 });
    children[0]?.kill();
    expect(await valuesOf([slot])).toEqual({ seconds_total: 3 });
    slot.start();
    children[0]?.emit('message', { type: 'counted', metrics: snapshotOf(1000, 1000) }); // from beyond the grave
    children[1]?.emit('message', { type: 'counted', metrics: snapshotOf(2, 1) });
    expect(await valuesOf([slot])).toEqual({ seconds_total: 5, keys: 1 });
    await slot.stop(0);
  });

  it('never make a sum fall, not even by the rounding of its last bit', async () => {
    const step = fc.record({
      worker: fc.nat({ max: 2 }),
      more: fc.double({ min: 0, max: 1000, noNaN: true }),
      dies: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const children: FakeChild[][] = [[], [], []];
        const slots = children.map(slotWith);
        const counted = [0, 0, 0];
        let last = 0;
        for (const { worker, more, dies } of steps) {
          counted[worker] = (counted[worker] as number) + more;
          const child = children[worker]?.at(-1);
          child?.emit('message', { type: 'counted', metrics: snapshotOf(counted[worker] as number, 0) });
          const { seconds_total: before = 0 } = await valuesOf(slots);
          expect(before).toBeGreaterThanOrEqual(last);
          last = before;
          if (!dies) continue;
          child?.kill();
          const { seconds_total: after = 0 } = await valuesOf(slots);
          expect(after).toBe(before);
          slots[worker]?.start();
          counted[worker] = 0;
        }
        await Promise.all(slots.map((slot) => slot.stop(0)));
      }),
      { numRuns: 100 },
    );
  });
});
