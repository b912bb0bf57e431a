import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { Instance } from '../../../chaos/environment.ts';
import { breakerMoves, clockAheadMs, zeroIn } from '../../../chaos/watch/observer.ts';

const zero = { us: 0, epochMs: 1_000_000 };

/** What is understood of a limiter whose /readyz answers this. */
async function movesTold(body: string) {
  const server = createServer((_request, response) => response.end(body));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as { port: number };
    const url = `http://127.0.0.1:${port}`;
    const storeLink = { proxy: '', host: '', port: 0 };
    const instance: Instance = { name: 'limiter-1', control: false, frontUrl: url, url, storeLink };
    return await breakerMoves(instance, '/readyz', zero);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const told = (...transitions: object[]) => JSON.stringify({ breaker: { state: 'open', transitions } });

describe('the moves of a breaker, as an instance tells them', () => {
  it('come with the shard that it guards, where there is one, in milliseconds since time zero', async () => {
    const shard = '10.0.0.1:6379';
    const moves = told(
      { atMs: 1_000_012.3456, from: 'closed', to: 'open' },
      { atMs: 1_000_020, shard, from: 'closed', to: 'open' },
    );
    expect(await movesTold(moves)).toEqual([
      { type: 'breaker', instance: 'limiter-1', atMs: 12.346, from: 'closed', to: 'open' },
      { type: 'breaker', instance: 'limiter-1', shard, atMs: 20, from: 'closed', to: 'open' },
    ]);
  });

  it('begin at time zero', async () => {
    expect(await movesTold(told({ atMs: 999_999, from: 'closed', to: 'open' }))).toEqual([]);
  });

  it.each(['not JSON', '{}', '{"breaker":{"state":"closed"}}'])('are unknown where it says %j', async (body) => {
    expect(await movesTold(body)).toBeUndefined();
  });

  it('include that a breaker is gone which was left open, when all that the instance has are closed', async () => {
    const transitions = [{ atMs: 1_000_020, shard: 'a:1', from: 'closed', to: 'open' }];
    const toldOf = (state: string) => movesTold(JSON.stringify({ breaker: { state, transitions } }));
    expect((await toldOf('closed'))?.slice(1)).toEqual([
      { type: 'breaker', instance: 'limiter-1', shard: 'a:1', atMs: expect.any(Number), from: 'open', to: 'gone' },
    ]);
    expect((await toldOf('open'))?.slice(1)).toEqual([]);
  });
});

describe("an instance's clock", () => {
  async function asked(nowMs: () => unknown, movedMs = 0) {
    const breaker = () => ({
      state: 'open',
      nowMs: nowMs(),
      transitions: [{ atMs: movedMs, from: 'closed', to: 'open' }],
    });
    const server = createServer((_request, response) => response.end(JSON.stringify({ breaker: breaker() })));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
    const storeLink = { proxy: '', host: '', port: 0 };
    const instance: Instance = { name: 'limiter-1', control: false, frontUrl: url, url, storeLink };
    const zero = zeroIn(0);
    try {
      const aheadMs = await clockAheadMs(instance, '/readyz', zero);
      return { zero, aheadMs, moves: await breakerMoves(instance, '/readyz', zero, aheadMs) };
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }
  const clock = () => performance.timeOrigin + performance.now();
  const hourMs = 3_600_000;

  it('is the same as the lab’s on one machine', async () => {
    expect((await asked(clock)).aheadMs).toBe(0);
  });

  it.each([-hourMs, hourMs, 80])(
    'that is %i ms ahead is seen to be, and its moves are dated by the lab’s',
    async (ms) => {
      const { aheadMs, moves, zero } = await asked(() => clock() + ms, clock() + ms + 1000);
      expect(Math.abs(aheadMs - ms)).toBeLessThan(20);
      expect(moves).toHaveLength(1);
      expect(Math.abs((moves?.[0]?.atMs ?? 0) - 1000)).toBeLessThan(20 + Math.abs(zero.epochMs - clock()));
    },
  );

  it('that is not told is taken for the lab’s', async () => {
    expect((await asked(() => undefined)).aheadMs).toBe(0);
  });
});
