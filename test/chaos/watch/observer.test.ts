import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { Instance } from '../../../chaos/environment.ts';
import { breakerMoves } from '../../../chaos/watch/observer.ts';

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
    return await breakerMoves(instance, zero);
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
