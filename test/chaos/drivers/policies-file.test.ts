import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { withPoliciesFile } from '../../../chaos/drivers/policies-file.ts';
import { keyHeader } from '../../../chaos/targets/target.ts';
import { readConfig } from '../../../service/config/env.ts';
import type { Policy } from '../../../service/doors/policy.ts';

const directory = mkdtempSync(join(tmpdir(), 'policies-'));
afterAll(() => rmSync(directory, { recursive: true }));

it.each([
  [{ answer: 'allow' }, { mode: 'open', forMs: Number.POSITIVE_INFINITY }],
  [{ answer: 'refuse' }, { mode: 'closed', forMs: Number.POSITIVE_INFINITY }],
  [
    { answer: 'allow', forMs: 3000 },
    { mode: 'open', forMs: 3000 },
  ],
  [
    { answer: 'refuse', forMs: 1000 },
    { mode: 'closed', forMs: 1000 },
  ],
] as const)(
  'with %j makes the buckets that the settings make, and says what to do without Redis',
  async (told, onStoreFailure) => {
    const limits = { RATE_LIMIT: '10', RATE_LIMIT_WINDOW_SEC: '3', RATE_LIMIT_BURST: '7' };
    const others = { INSTANCES: '2', REDIS_TIMEOUT_MS: '50' };
    const settings = { ...limits, ...others, KEY_HEADER: keyHeader };
    const beside = await withPoliciesFile(directory, settings, told);
    expect(beside).toEqual({ ...others, POLICIES_FILE: join(directory, 'policies.json') });
    const policyOf = (env: Readonly<Record<string, string>>) => readConfig(env).policies[0] as Policy;
    const [byFile, bySettings] = [policyOf(beside), policyOf(settings)];
    const [limit, usual] = [byFile.limits[0], bySettings.limits[0]];
    expect([limit?.shared.quota, limit?.shared.capacity]).toEqual([usual?.shared.quota, usual?.shared.capacity]);
    expect([limit?.fallback.quota, limit?.fallback.capacity]).toEqual([
      usual?.fallback.quota,
      usual?.fallback.capacity,
    ]);
    expect(limit?.onStoreFailure).toEqual(onStoreFailure);
  },
);
