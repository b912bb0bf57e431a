import { describe, expect, it } from 'vitest';
import { readConfig } from '../../service/config/env.ts';
import { warmUpDoors } from '../../service/warm-doors.ts';
import { exampleRules } from '../support/rls-rules.ts';

/** Requests that a warm-up with these settings has decided. */
async function decidedWith(env: Readonly<Record<string, string>>): Promise<number> {
  let decided = 0;
  const config = { ...readConfig(env), hashKey: undefined };
  await warmUpDoors(
    config,
    () => performance.now() * 1000,
    () => decided++,
  );
  return decided;
}

describe('the warm-up of the doors', () => {
  it('asks each open door sixty times, and the JSON API as often', async () => {
    const grpc = { GRPC_PORT: '2', RLS_CONFIG_DIR: exampleRules };
    const [http, withResp, withGrpc] = [
      await decidedWith({}),
      await decidedWith({ RESP_PORT: '1' }),
      await decidedWith(grpc),
    ];
    expect([http, withResp - http, withGrpc - http]).toEqual([120, 60, 60]);
  });

  it('is let in where clients need a token, and is no reason not to start where they need a header', async () => {
    expect(await decidedWith({ RESP_PORT: '1', API_TOKEN: 'a-token', ADMIN_TOKEN: 'another' })).toBe(180);
    expect(await decidedWith({ KEY_HEADER: 'x-key' })).toBe(120);
  });
});
