// What is answered by the rules, with the fallback's buckets in the place of Redis's.

import { describe, expect, it } from 'vitest';
import { rulesOf } from '../../../../service/config/rls/rules.ts';
import type { WrittenDomain } from '../../../../service/config/rls/shape.ts';
import { LocalStore } from '../../../../service/core/local-store.ts';
import type { Take } from '../../../../service/core/store.ts';
import { type AnswerParts, answerTo } from '../../../../service/doors/rls/answer.ts';
import { chargedBy } from '../../../../service/doors/rls/charged.ts';
import { Overrides } from '../../../../service/doors/rls/overrides.ts';
import type { RequestDescriptor } from '../../../../service/doors/rls/request.ts';

const shares = { instances: 1, workers: 1 };

const rules = rulesOf(
  [
    {
      domain: 'edge',
      descriptors: [
        { key: 'user', rate_limit: { unit: 'minute', requests_per_unit: 3, name: 'by user' } },
        { key: 'all', rate_limit: { unit: 'hour', requests_per_unit: 10 } },
        { key: 'blocked', rate_limit: { unit: 'day', requests_per_unit: 0 } },
        { key: 'free', rate_limit: { unlimited: true, replaces: [{ name: 'by user' }] } },
        { key: 'trial', shadow_mode: true, rate_limit: { unit: 'minute', requests_per_unit: 1 } },
        { key: 'file', value: 'a*', share_threshold: true, rate_limit: { unit: 'minute', requests_per_unit: 3 } },
        { key: 'down', onStoreFailure: 'open', rate_limit: { unit: 'minute', requests_per_unit: 1 } },
      ],
    },
  ] as readonly WrittenDomain[],
  { instances: 1, isCluster: false, workers: 1 },
);

type Asked = Partial<RequestDescriptor> & { readonly of: string };

function createDoor(parts: Partial<AnswerParts> = {}) {
  const store = new LocalStore({ keysMax: 1000, nowUs: () => 1e9 });
  const taken: Take[] = [];
  const all: AnswerParts = {
    limiter: {
      decide(take) {
        taken.push(take);
        return store.decide(take);
      },
    },
    buckets: {
      look: async (take) => store.look(take),
      refundAnyway: async (take) => {
        for (const charge of take.charges) store.giveBack(charge);
        return store.look(take);
      },
    },
    withHeaders: false,
    ...parts,
  };
  const overrides = new Overrides(shares);
  const ask = async (descriptors: readonly Asked[], { domain = 'edge', hitsAddend = 0 } = {}) => {
    const charged = chargedBy(rules, overrides, {
      domain,
      hitsAddend,
      descriptors: descriptors.map(({ of, ...rest }) => {
        const [key = '', value = ''] = of.split('=');
        return { entries: [{ key, value }], override: undefined, hitsAddend: undefined, isNegative: false, ...rest };
      }),
    });
    return 'mistake' in charged ? charged : answerTo(domain, charged, all);
  };
  /** The overall code, and the code, the rest and the limit of each descriptor. */
  const gist = async (...args: Parameters<typeof ask>) => {
    const answer = await ask(...args);
    if ('mistake' in answer) return answer.mistake;
    const each = answer.statuses.map(({ code, limitRemaining, currentLimit: limit }) =>
      [codes[code], limitRemaining, ...(limit ? [`of ${limit.requestsPerUnit} a ${limit.unit}`] : [])].join(' '),
    );
    return [codes[answer.overallCode], ...each];
  };
  return { ask, gist, taken };
}

const codes = { 1: 'OK', 2: 'OVER' };

describe('a request', () => {
  it('takes a token for each descriptor, together, and is told of each', async () => {
    const { ask, taken } = createDoor();
    expect(await ask([{ of: 'user=a' }, { of: 'all' }])).toEqual({
      overallCode: 1,
      headers: [],
      statuses: [
        {
          code: 1,
          currentLimit: { name: 'by user', requestsPerUnit: 3, unit: 'minute' },
          limitRemaining: 2,
          secondsUntilReset: 20,
        },
        {
          code: 1,
          currentLimit: { name: undefined, requestsPerUnit: 10, unit: 'hour' },
          limitRemaining: 9,
          secondsUntilReset: 360,
        },
      ],
    });
    expect(taken.map(({ key, charges }) => [key, charges.map(({ bucket }) => bucket)])).toEqual([
      ['edge', ['rls/minute/rls:edge|user=a', 'rls/hour/rls:edge|all=']],
    ]);
  });

  it('takes nothing when one of its descriptors is over its limit', async () => {
    const { gist } = createDoor();
    const both = [{ of: 'user=a' }, { of: 'all' }];
    for (let left = 2; left >= 0; left--) await gist(both);
    for (let i = 0; i < 3; i++) expect(await gist(both)).toEqual(['OVER', 'OVER 0 of 3 a minute', 'OK 7 of 10 a hour']);
    expect(await gist([{ of: 'all' }])).toEqual(['OK', 'OK 6 of 10 a hour']);
  });

  it('takes the hits that it says, or those that a descriptor says for itself', async () => {
    const { gist } = createDoor();
    expect(await gist([{ of: 'user=a' }, { of: 'all', hitsAddend: 5 }], { hitsAddend: 2 })).toEqual([
      'OK',
      'OK 1 of 3 a minute',
      'OK 5 of 10 a hour',
    ]);
    expect(await gist([{ of: 'all', hitsAddend: 6 }])).toEqual(['OVER', 'OVER 5 of 10 a hour']);
    expect(await gist([{ of: 'all', hitsAddend: 2 ** 64 }])).toEqual(['OVER', 'OVER 5 of 10 a hour']);
    expect(await gist([{ of: 'all' }], { hitsAddend: 2 ** 32 - 1 })).toEqual(['OVER', 'OVER 5 of 10 a hour']);
  });

  it('of 0 hits looks and takes nothing: over the limit is what has nothing left', async () => {
    const { gist, taken } = createDoor();
    const look = { of: 'user=a', hitsAddend: 0 };
    for (let i = 0; i < 3; i++) expect(await gist([look])).toEqual(['OK', 'OK 3 of 3 a minute']);
    expect(taken).toEqual([]);
    expect(await gist([look, { of: 'all' }])).toEqual(['OK', 'OK 3 of 3 a minute', 'OK 9 of 10 a hour']);
    await gist([{ of: 'user=a', hitsAddend: 3 }]);
    expect(await gist([look, { of: 'all' }])).toEqual(['OVER', 'OVER 0 of 3 a minute', 'OK 9 of 10 a hour']);
    expect(await gist([{ of: 'all' }])).toEqual(['OK', 'OK 8 of 10 a hour']);
  });

  it('of 0 hits asks for no token beside the others of its bucket', async () => {
    const { gist } = createDoor();
    const [look, all] = [
      { of: 'user=a', hitsAddend: 0 },
      { of: 'user=a', hitsAddend: 3 },
    ];
    await gist([{ of: 'user=a', hitsAddend: 2 }]);
    expect(await gist([look, look])).toEqual(['OK', 'OK 1 of 3 a minute', 'OK 1 of 3 a minute']);
    const full = { ...look, of: 'user=b' };
    expect(await gist([full, { ...all, of: 'user=b' }, full])).toEqual([
      'OK',
      'OK 3 of 3 a minute',
      'OK 0 of 3 a minute',
      'OK 3 of 3 a minute',
    ]);
    expect(await gist([look, all])).toEqual(['OVER', 'OVER 1 of 3 a minute', 'OVER 1 of 3 a minute']);
  });

  it('gives negative hits back, and never more than fill the bucket', async () => {
    const { gist } = createDoor();
    await gist([{ of: 'all', hitsAddend: 9 }]);
    expect(await gist([{ of: 'all', hitsAddend: 4, isNegative: true }])).toEqual(['OK', 'OK 5 of 10 a hour']);
    expect(await gist([{ of: 'all', hitsAddend: 2 ** 64, isNegative: true }])).toEqual(['OK', 'OK 10 of 10 a hour']);
  });

  it('counts descriptors of one bucket together', async () => {
    const { gist } = createDoor();
    expect(await gist([{ of: 'file=a1' }, { of: 'file=a2' }])).toEqual([
      'OK',
      'OK 1 of 3 a minute',
      'OK 1 of 3 a minute',
    ]);
    expect(await gist([{ of: 'file=a3' }, { of: 'file=a3' }])).toEqual([
      'OVER',
      'OVER 1 of 3 a minute',
      'OVER 1 of 3 a minute',
    ]);
    expect(await gist([{ of: 'file=a4' }])).toEqual(['OK', 'OK 0 of 3 a minute']);
  });

  it('is refused by a limit of 0, and takes nothing of others', async () => {
    const { gist, taken } = createDoor();
    const blocked = { of: 'blocked=x' };
    expect(await gist([blocked, { of: 'all' }])).toEqual(['OVER', 'OVER 0 of 0 a day', 'OK 10 of 10 a hour']);
    expect(await gist([{ ...blocked, hitsAddend: 0 }])).toEqual(['OVER', 'OVER 0 of 0 a day']);
    expect(taken.length).toBe(2);
  });

  it('is not refused by what is only tried out, which counts for itself', async () => {
    const { gist, taken } = createDoor();
    await gist([{ of: 'trial=a' }]);
    expect(await gist([{ of: 'trial=a' }, { of: 'all' }])).toEqual(['OK', 'OK 0 of 1 a minute', 'OK 9 of 10 a hour']);
    expect(taken.map(({ shadowOf }) => shadowOf)).toEqual(['rls', 'rls', undefined]);
  });

  it('is let through where no rule is for it, where it is unlimited, and where its rule is replaced', async () => {
    const { gist, taken } = createDoor();
    expect(await gist([{ of: 'other=a' }])).toEqual(['OK', 'OK 0']);
    expect(await gist([{ of: 'user=a' }], { domain: 'elsewhere' })).toEqual(['OK', 'OK 0']);
    expect(await gist([{ of: 'user=a' }, { of: 'free' }])).toEqual(['OK', 'OK 0', 'OK 4294967295']);
    expect(taken).toEqual([]);
  });

  it('may bring a limit along, which has buckets of its own', async () => {
    const { gist } = createDoor();
    const own = (requestsPerUnit: number, unit: number) => [{ of: 'user=a', override: { requestsPerUnit, unit } }];
    expect(await gist(own(2, 7))).toEqual(['OK', 'OK 1 of 2 a week']);
    expect(await gist(own(4, 7))).toEqual(['OK', 'OK 3 of 4 a week']);
    expect(await gist(own(2, 7))).toEqual(['OK', 'OK 0 of 2 a week']);
    expect(await gist(own(2, 2))).toEqual(['OK', 'OK 1 of 2 a minute']);
    expect(await gist([{ of: 'user=a' }])).toEqual(['OK', 'OK 2 of 3 a minute']);
    expect(await gist(own(0, 1))).toEqual(['OVER', 'OVER 0 of 0 a second']);
    for (let limit = 1; limit < 5000; limit++) await gist(own(limit, 3)); // more than are kept
    for (const unit of [0, 8, 1.8e19])
      expect(await gist(own(1, unit))).toBe(
        `descriptors[0].limit.unit is ${unit}; allowed: 1 to 7, which is SECOND, MINUTE, HOUR, DAY, MONTH, YEAR, WEEK.`,
      );
  });

  it('has a domain and at least one descriptor', async () => {
    const { gist } = createDoor();
    expect(await gist([{ of: 'all' }], { domain: '' })).toBe('domain is empty; allowed: the domain of some rules.');
    expect(await gist([])).toBe('descriptors is empty; allowed: at least one.');
  });

  it('is told headers of the descriptor that binds, and when to try again', async () => {
    const { ask } = createDoor({ withHeaders: true });
    const headers = async (...of: string[]) => {
      const answer = await ask(of.map((it) => ({ of: it })));
      return 'mistake' in answer ? answer.mistake : answer.headers.join(' ');
    };
    expect(await headers('all', 'user=a')).toBe(
      'RateLimit-Limit 3 RateLimit-Remaining 2 RateLimit-Reset 20 X-RateLimit-Mechanism fallback',
    );
    for (let i = 0; i < 2; i++) await headers('user=a');
    expect(await headers('all', 'user=a')).toBe(
      'RateLimit-Limit 3 RateLimit-Remaining 0 RateLimit-Reset 60 X-RateLimit-Mechanism fallback Retry-After 20',
    );
    await headers('trial=a');
    expect(await headers('trial=a', 'user=a')).toMatch(/ Retry-After 20$/); // it is not refused by the trial
    expect(await headers('other=a')).toBe('');
    expect(await headers('blocked=a')).toBe(
      'RateLimit-Limit 0 RateLimit-Remaining 0 RateLimit-Reset 0 X-RateLimit-Mechanism fallback',
    );
  });
});
