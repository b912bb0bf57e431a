import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { limitAllowed, rateOf } from '../../../service/config/limit-text.ts';
import { policiesOf } from '../../../service/config/policies.ts';
import { policiesIn, readPolicies } from '../../../service/config/policies-text.ts';
import { claimOf } from '../../../service/doors/policy.ts';

const dir = mkdtempSync(join(tmpdir(), 'failopen-policies-'));
afterAll(() => rmSync(dir, { recursive: true }));

const read = (text: string, { instances, isCluster = false }: { instances?: number; isCluster?: boolean } = {}) => {
  const mistakes: string[] = [];
  const options = { instances, isCluster, workers: 1 };
  const written = policiesIn(text, options, mistakes, 'policies.yaml');
  expect(written === undefined).toBe(mistakes.length > 0);
  return { policies: policiesOf(written ?? [], options), mistakes };
};
const mistakesIn = (text: string, isCluster = false) => read(text, { isCluster }).mistakes;
const onePolicy = (rest: string) => `policies:\n  - name: a\n    key: address\n    limits: [10 per second]\n${rest}`;

describe('a limit in words', () => {
  it('is so many tokens a second, minute, hour or day', () => {
    const seconds = (text: string) => {
      const rate = rateOf(text);
      return rate && [rate.capacity, rate.capacity / rate.refillPerSecond];
    };
    expect(['10 per second', '100 per minute', '1 a hour', '1000000000 per day'].map(seconds)).toEqual([
      [10, 1],
      [100, 60],
      [1, 3600],
      [1e9, 86_400],
    ]);
  });

  it.each([
    '',
    '0 per second',
    '-1 per second',
    '1.5 per second',
    '1e3 per second',
    '10 per fortnight',
    '10/s',
    ' 10 per second',
    '1000000001 per day',
    '010 per day',
  ])('is not %j', (text) => {
    expect(rateOf(text)).toBeUndefined();
  });
});

describe('a policies file', () => {
  it('makes policies with their limits, in YAML or JSON', () => {
    const { policies } = read(
      `
policies:
  - name: search
    match: {method: [GET, HEAD], path: /search/*}
    key: [header:X-Api-Key, address]
    limits: [10 per second, {capacity: 1000, windowSeconds: 3600, fallbackCapacity: 9}, {capacity: 3, refillPerSecond: 2}]
    cost: {header: X-Cost, max: 3}
`,
      { instances: 4 },
    );
    const [search] = policies;
    expect(search?.limits.map(({ prefix, shared, fallback }) => [prefix, shared.quota, fallback.capacity])).toEqual([
      ['search/1s/', { name: 'search-1s', capacity: 10, windowMs: 1000 }, 3],
      ['search/3600s/', { name: 'search-3600s', capacity: 1000, windowMs: 3_600_000 }, 9],
      ['search/2ps/', { name: 'search-1.5s', capacity: 3, windowMs: 1500 }, 1],
    ]);
    expect([search?.match.methods, search?.cost]).toEqual([['GET', 'HEAD'], { header: 'x-cost', max: 3 }]);
    const json = JSON.stringify({ policies: [{ name: 'a', key: 'address', limits: ['100 per minute'] }] });
    expect(read(json).policies[0]?.limits[0]?.shared.quota).toEqual({ name: 'a', capacity: 100, windowMs: 60_000 });
  });

  it('may be for no request, only for a check that names it', () => {
    const { policies } = read('policies: [{name: a, key: given, limits: [10 per second]}]');
    const request = { method: 'GET', url: '/', headers: {}, addressOf: () => '192.0.2.1' };
    expect([policies[0]?.name, claimOf(policies, request).take]).toEqual(['a', undefined]);
  });

  it.each([
    [
      'policies: [{name: a, key: given, match: {path: /a}, limits: [10 per second]}]',
      'policies.yaml:1 policies[0].match says which requests it is for; allowed: not there, with a key that is given',
    ],
    [
      'policies: [{name: a, key: given, cost: {header: x, max: 2}, limits: [10 per second]}]',
      'policies.yaml:1 policies[0].cost.header is a header of a request; allowed: not there, with a key that is given',
    ],
    [
      'policies: [{name: a, key: [given, address], limits: [10 per second]}]',
      'policies.yaml:1 policies[0].key[0] is "given"; allowed: address, header:NAME, cookie:NAME, path:NAME, jwt:CLAIM, or a list of these',
    ],
    ['policies: [', 'policies.yaml:1 Flow sequence in block collection must be sufficiently indented and end with a ]'],
    ['', 'policies.yaml:1 it is null; allowed: a mapping with the fields policies'],
    ['policies: []', 'policies.yaml:1 policies is []; allowed: a list of 1 to 1000 policies'],
    [
      onePolicy('    limit: 5\n'),
      'policies.yaml:5 policies[0].limit is no field; allowed: name, match, key, limits, candidate, cost, onStoreFailure, shadow',
    ],
    [onePolicy('    cost: 0\n'), 'policies.yaml:5 policies[0].cost is 0; allowed: a whole number from 1 to 1000000000'],
    [
      onePolicy('    candidate: [5 per second]\n    cost: 6\n'),
      'policies.yaml:6 policies[0].cost is 6; allowed: up to 5, the smallest capacity of its limits',
    ],
    [
      onePolicy('    candidate: [5 per second, 6 per second]\n'),
      'policies.yaml:5 policies[0].candidate[1] has a window of 1s as one before it; allowed: limits of different windows',
    ],
    [
      onePolicy('    candidate: [5 per second]\n    shadow: true\n'),
      'policies.yaml:5 policies[0].candidate is tried out beside nothing; allowed: not there, with shadow',
    ],
    [
      'policies: [{name: a, key: address, limits: [{capacity: 1, refillPerSecond: 2}, {capacity: 2, refillPerSecond: 2}]}]',
      'policies.yaml:1 policies[0].limits[1] refills as fast as one before it; allowed: limits of different refill',
    ],
    [
      onePolicy('    cost: 11\n'),
      'policies.yaml:5 policies[0].cost is 11; allowed: up to 10, the smallest capacity of its limits',
    ],
    [
      onePolicy('    cost:\n      header: x-cost\n      max: 11\n'),
      'policies.yaml:7 policies[0].cost.max is 11; allowed: up to 10, the smallest capacity of its limits',
    ],
    [
      onePolicy('    match: {path: search}\n'),
      'policies.yaml:5 policies[0].match.path is "search"; allowed: a path such as /search, /search/*, /users/:id or /a%20b, without \\ and the segments . and ..',
    ],
    [
      onePolicy('    match: {path: /x/../y}\n'),
      'policies.yaml:5 policies[0].match.path is "/x/../y"; allowed: a path such as /search, /search/*, /users/:id or /a%20b, without \\ and the segments . and ..',
    ],
    [
      onePolicy('    match: {method: get}\n'),
      'policies.yaml:5 policies[0].match.method is "get"; allowed: a method of HTTP in capitals, as GET, or a list of them',
    ],
    [
      onePolicy('  - name: a\n    key: address\n    limits: [1 per day]\n'),
      'policies.yaml:5 policies[1].name is a, as of one before it; allowed: a name of its own',
    ],
    [
      'policies:\n- name: 2024\n  key: address\n  limits: [1 per day]\n',
      'policies.yaml:2 policies[0].name is 2024; allowed: a text of up to 60 of a-z, 0-9, - and _; one such as 2024 or true in quotes',
    ],
    [
      'policies:\n- name: A\n  key: address\n  limits: [1 per day]\n',
      'policies.yaml:2 policies[0].name is "A"; allowed: a text of up to 60 of a-z, 0-9, - and _; one such as 2024 or true in quotes',
    ],
    [
      'policies:\n- name: a\n  limits: [1 per day]\n',
      'policies.yaml:2 policies[0].key is missing; allowed: given, address, header:NAME, cookie:NAME, path:NAME, jwt:CLAIM, or a list of up to 5 of these but given',
    ],
    [
      'policies:\n- name: a\n  key: [address, path:id]\n  limits: [1 per day]\n',
      'policies.yaml:3 policies[0].key names the path parameter id; allowed: none, since match.path has no parameter such as :id',
    ],
    [
      'policies:\n- name: a\n  key: address\n  limits:\n  - 1 per second\n  - {capacity: 7, windowSeconds: 1}\n',
      'policies.yaml:6 policies[0].limits[1] has a window of 1s as one before it; allowed: limits of different windows',
    ],
  ])('is refused with the place and what is allowed: %j', (text, mistake) => {
    expect(mistakesIn(text)).toEqual([mistake]);
  });

  it('says what happens without Redis', () => {
    const failureOf = (text: string) =>
      read(onePolicy(text && `    onStoreFailure: ${text}\n`)).policies[0]?.limits[0]?.onStoreFailure;
    expect(['', 'open', '{closed: {forSeconds: 10}}', '{open: {forSeconds: 30}}'].map(failureOf)).toEqual([
      { mode: 'fallback', forMs: Number.POSITIVE_INFINITY },
      { mode: 'open', forMs: Number.POSITIVE_INFINITY },
      { mode: 'closed', forMs: 10_000 },
      { mode: 'open', forMs: 30_000 },
    ]);
    for (const text of [
      'shut',
      '{open: 30}',
      '{open: {forSeconds: 0}}',
      '{open: {forSeconds: 1}, closed: {forSeconds: 1}}',
    ])
      expect(mistakesIn(onePolicy(`    onStoreFailure: ${text}\n`))).toEqual([
        expect.stringMatching(/^policies.yaml:5 policies\[0\]\.onStoreFailure/),
      ]);
  });

  it('is told all its mistakes at once', () => {
    const text = 'policies:\n- name: a\n  key: user\n  limits: [10 per fortnight]\n- name: b\n  colour: red\n';
    expect(mistakesIn(text).map((mistake) => /^policies.yaml:(\d+) (\S+) is/.exec(mistake)?.slice(1))).toEqual([
      ['3', 'policies[0].key'],
      ['4', 'policies[0].limits[0]'],
      ['5', 'policies[1].key'],
      ['5', 'policies[1].limits'],
      ['6', 'policies[1].colour'],
    ]);
  });

  it('is told of a mistake in a policy beside one that has not the shape of a policy', () => {
    const text =
      'policies:\n- {name: a, key: address}\n- {name: b, key: address, limits: [5 per minute], cost: 6}\n- {name: b, key: user, limits: [5 per minute]}\n- {name: b, key: address, limits: [5 per minute]}\n';
    expect(mistakesIn(text).map((mistake) => /^policies.yaml:(\d+) (\S+) is/.exec(mistake)?.slice(1))).toEqual([
      ['2', 'policies[0].limits'],
      ['4', 'policies[2].key'],
      ['3', 'policies[1].cost'],
      ['5', 'policies[3].name'],
    ]);
  });

  it.each([
    '{capacity: 1000000001, windowSeconds: 1}',
    '{capacity: 1, windowSeconds: 31536001}',
    '{capacity: 9, refillPerSecond: 0}',
    '{capacity: 9, refillPerSecond: 1.0e-9}',
    '{capacity: .nan, windowSeconds: 1}',
    '{capacity: 1, windowSeconds: 1, refillPerSecond: 1}',
    '[1, 1]',
    '5',
    '{capacity: 1, windowSeconds: 1.0e+308}',
  ])('has no limit of %s', (limit) => {
    expect(mistakesIn(`policies:\n- name: a\n  key: address\n  limits: [${limit}]\n`)).toEqual([
      expect.stringMatching(/^policies.yaml:4 policies\[0\]\.limits\[0\](\.\w+)? is /),
    ]);
  });

  it('does not blow up on a bomb of aliases', () => {
    const bomb = `a: &a [1,1,1,1,1,1,1,1,1]\n${'bcdefghi'
      .split('')
      .map((c, i) => `${c}: &${c} [${Array(9).fill(`*${'abcdefgh'[i]}`)}]`)
      .join('\n')}\npolicies: *i\n`;
    expect(mistakesIn(bomb)).toEqual(['policies.yaml:1 it has more than 500000 values, its aliases written out']);
  });

  it('may name one list of limits by an alias in each of a thousand policies', () => {
    const policies = Array.from({ length: 1000 }, (_, i) => `- {name: p${i}, key: given, limits: *std}`).slice(1);
    const first = '- {name: p0, key: given, limits: &std [10 per second, 100 per hour]}';
    expect(mistakesIn(`policies:\n${[first, ...policies].join('\n')}\n`)).toEqual([]);
  });

  const deep = 'policies.yaml:1 it is nested too deep, or something in it holds itself; allowed: 20 levels';
  it.each([
    ['a list that holds itself', 'policies: &a [*a]', deep],
    ['a mapping that holds itself', 'policies: &a {b: [*a, *a, *a]}', deep],
    ['a policy that holds itself', 'policies: [&a {name: a, key: address, limits: [*a]}]', deep],
    ['many levels', `policies: ${'['.repeat(1000)}${']'.repeat(1000)}`, deep],
    ['too many levels to read', '['.repeat(100_000), deep],
    ['two documents', 'policies: []\n---\na: 1\n', 'policies.yaml:2 begins a second YAML document; allowed: one'],
    [
      '1001 policies',
      `policies: [${'{},'.repeat(1001)}]`,
      'policies.yaml:1 policies is a list of 1001; allowed: a list of 1 to 1000 policies',
    ],
    [
      'an empty key',
      'policies: [{name: a, key: [], limits: [1 per day]}]',
      'policies.yaml:1 policies[0].key is []; allowed: given, address, header:NAME, cookie:NAME, path:NAME, jwt:CLAIM, or a list of up to 5 of these but given',
    ],
    [
      'no method in a list',
      'policies: [{name: a, match: {method: []}, key: address, limits: [1 per day]}]',
      'policies.yaml:1 policies[0].match.method is []; allowed: a method of HTTP in capitals, as GET, or a list of them',
    ],
    [
      'a number that is none',
      'policies: [{name: a, key: address, limits: [{capacity: .nan, windowSeconds: 1}]}]',
      `policies.yaml:1 policies[0].limits[0] is {"capacity":"NaN","windowSeconds":1}; allowed: ${limitAllowed}; or a mapping of capacity, up to 1000000000, and either windowSeconds or refillPerSecond, and perhaps fallbackCapacity`,
    ],
    [
      'a number without end',
      'policies: [{name: a, key: address, cost: -.inf, limits: [1 per day]}]',
      'policies.yaml:1 policies[0].cost is -Infinity; allowed: a whole number from 1, or a mapping of header and max',
    ],
    [
      'a tag of its own',
      'policies:\n- name: a\n  key: !env KEY\n  limits: [1 per day]\n',
      'policies.yaml:3 !env is no tag; allowed: those of YAML, as !!str, or none',
    ],
    [
      'a tag before a list',
      'policies: !include [{name: a, key: address, limits: [1 per day]}]',
      'policies.yaml:1 !include is no tag; allowed: those of YAML, as !!str, or none',
    ],
    [
      'a key twice',
      'policies: []\n"policies": []\n',
      'policies.yaml:2 policies is there twice; allowed: once in a mapping',
    ],
  ])('with %s has one mistake', (_, text, mistake) => {
    expect(mistakesIn(text)[0]).toBe(mistake);
  });

  it.each([
    ['[10 per second, 1000 per hour]', '[500 per minute]', true],
    ['[10 per second, 1000 per hour], candidate: [5 per second]', '[500 per minute]', true],
    ['[10 per day], candidate: [5 per second, 6 per hour]', '[500 per minute]', true],
    ['[10 per second]', '[500 per minute]', false],
    ['[10 per second, 1000 per hour]', '[500 per minute, 3 per day]', false],
  ])('names no two limits alike: api of %s, api-1s of %s', (api, other, isRefused) => {
    const mistake =
      'policies.yaml:3 policies[1].name is api-1s, with a limit that is called api-1s as one of api; allowed: a name by which all limits have names of their own';
    const policies = [
      ['api', api],
      ['api-1s', other],
    ].map(([name, limits]) => `- {name: ${name}, key: address, limits: ${limits}}\n`);
    expect(mistakesIn(`policies:\n${policies.join('')}`)).toEqual(isRefused ? [mistake] : []);
  });

  it('with a great many mistakes is told the first ones, and how many more', () => {
    const keys = Array.from({ length: 30_000 }, (_, i) => `k${i}: 1`).join('\n');
    const told = mistakesIn(keys);
    expect([told.length, told.at(-1)]).toEqual([101, 'policies.yaml has 29901 more mistakes']);
    expect(mistakesIn(`policies: [${'1,'.repeat(900)}]`)).toHaveLength(101);
  });

  it.each([
    ['gone', () => {}, /ENOENT/],
    ['a directory', (path: string) => mkdirSync(path), /it is no regular file/],
    ['a link in a circle', (path: string) => symlinkSync(path, path), /ELOOP/],
    ['huge', (path: string) => writeFileSync(path, ' '.repeat(500_001)), /it has 500001 bytes; allowed: 500000/],
    ['empty', (path: string) => writeFileSync(path, ''), /it is null; allowed/],
    ['no text', (path: string) => writeFileSync(path, Buffer.from([0xff, 0xfe, 0, 1, 2])), /it is no UTF-8/],
    ['in latin1', (path: string) => writeFileSync(path, 'policies: [] # caf\xe9', 'latin1'), /it is no UTF-8/],
    ['a device', (path: string) => symlinkSync('/dev/zero', path), /it is no regular file/],
  ])('that is %s is one mistake', (_, spoil, mistake) => {
    const path = join(dir, 'policies.yaml');
    rmSync(path, { recursive: true, force: true });
    spoil(path);
    const mistakes: string[] = [];
    expect(readPolicies(path, { instances: 1, isCluster: false, workers: 1 }, mistakes)).toBe(undefined);
    expect(mistakes).toEqual([expect.stringMatching(mistake)]);
  });

  it('with a cluster has policies of one key where both may be for a request', () => {
    const two = (first: string, second: string) =>
      `policies:\n- {name: a, key: address, limits: [1 per day], match: ${first}}\n- {name: b, key: header:x, limits: [2 per day], match: ${second}}\n`;
    const mistake =
      'policies.yaml:3 policies[1].key is another than that of a; allowed: with Redis Cluster the key of a, which may be for the same request';
    expect(mistakesIn(two('{}', '{path: /b}'), true)).toEqual([mistake]);
    expect(mistakesIn(two('{path: /a/*}', '{path: /a/:x}'), true)).toEqual([mistake]);
    expect(mistakesIn(two('{path: /a}', '{path: /b}'), true)).toEqual([]);
    expect(mistakesIn(two('{method: GET}', '{method: [POST, PUT]}'), true)).toEqual([]);
    expect(mistakesIn(two('{method: GET}', '{method: HEAD}'), true)).toEqual([mistake]);
    expect(mistakesIn(two('{method: HEAD}', '{method: [PUT, GET]}'), true)).toEqual([mistake]);
    expect(mistakesIn(two('{}, shadow: true', '{}'), true)).toEqual([]);
    expect(mistakesIn(two('{}', '{}'))).toEqual([]);
  });

  it('with a cluster has policies of one segment where their key is one of the path', () => {
    const two = (first: string, second: string) =>
      `policies:\n- {name: a, key: path:id, limits: [1 per day], match: {path: ${first}}}\n- {name: b, key: path:id, limits: [2 per day], match: {path: ${second}}}\n`;
    const mistake =
      'policies.yaml:3 policies[1].key is another segment of the path than that of a; allowed: with Redis Cluster the key of a, which may be for the same request';
    expect(mistakesIn(two('/:id/*', '/:of/:id'), true)).toEqual([mistake]);
    expect(mistakesIn(two('/:id/*', '/:id/:of'), true)).toEqual([]);
    expect(mistakesIn(two('/:id/a', '/:of/:id'), true)).toEqual([mistake]);
    expect(mistakesIn(two('/:id/a', '/b/:id'), true)).toEqual([mistake]);
    expect(mistakesIn(two('/a/:id', '/b/c/:id'), true)).toEqual([]);
    expect(mistakesIn(two('/:id/*', '/:of/:id'))).toEqual([]);
  });

  it('with a cluster compares a thousand policies about as fast as it reads them', () => {
    const policies = Array.from(
      { length: 1000 },
      (_, i) => `- {name: p${i}, key: header:x${i}, limits: [1 per day], match: {method: GET, path: /v${i}/a/b/c/:id}}`,
    );
    const text = `policies:\n${policies.join('\n')}\n`;
    const msOf = (isCluster: boolean) => {
      const startMs = performance.now();
      expect(mistakesIn(text, isCluster)).toEqual([]);
      return performance.now() - startMs;
    };
    msOf(false); // compiled
    const ratioMin = Math.min(...[1, 2, 3].map(() => msOf(true) / msOf(false)));
    expect(ratioMin).toBeLessThan(5);
  });
});

describe('what a request takes', () => {
  const { policies } = read(`
policies:
- {name: all, key: address, limits: [100 per minute]}
- {name: search, key: header:x-key, limits: [10 per second, 50 per minute], match: {method: GET, path: /search/*}, cost: {header: x-cost, max: 5}}
`);
  const taken = (method: string, url: string, headers: Record<string, string> = {}) => {
    const { take, mistakes } = claimOf(policies, { method, url, headers, addressOf: () => '::1' });
    return mistakes[0] ?? take?.charges.map(({ bucket, cost }) => `${bucket} ${cost}`);
  };

  it('is the buckets of every policy that is for it, each at its own cost', () => {
    expect(taken('GET', '/')).toEqual(['all/60s/address=::1 1']);
    expect(taken('POST', '/search/x')).toEqual(['all/60s/address=::1 1']);
    expect(taken('GET', '/search/x', { 'x-key': 'k', 'x-cost': '5' })).toEqual([
      'all/60s/address=::1 1',
      'search/1s/header:x-key=k 5',
      'search/60s/header:x-key=k 5',
    ]);
  });

  it('is by GET also that of HEAD, which the same handlers answer, and by HEAD of nothing else', () => {
    const { policies: own } = read(`
policies:
- {name: read, key: address, limits: [9 per day], match: {method: GET}}
- {name: head, key: address, limits: [8 per day], match: {method: HEAD}}
- {name: either, key: address, limits: [7 per day], match: {method: [HEAD, GET, PUT]}}
`);
    const names = (method: string) =>
      claimOf(own, { method, url: '/', headers: {}, addressOf: () => '::1' }).take?.charges.map(
        ({ limit }) => limit.shared.quota.name,
      );
    expect(['GET', 'HEAD', 'PUT', 'POST'].map(names)).toEqual([
      ['read', 'either'],
      ['read', 'head', 'either'],
      ['either'],
      undefined,
    ]);
  });

  it('costs 1 without the header of its cost, also where every object has a property of that name', () => {
    for (const header of ['constructor', '__proto__']) {
      const { policies: own } = read(onePolicy(`    cost: {header: ${header}, max: 5}\n`));
      const { take } = claimOf(own, { method: 'GET', url: '/', headers: {}, addressOf: () => '::1' });
      expect(take?.charges.map(({ cost }) => cost)).toEqual([1]);
    }
  });

  it('is a mistake without the key of one, or with a cost that is not allowed', () => {
    expect(taken('GET', '/search')).toMatchObject({ title: 'Key missing' });
    for (const cost of ['0', '6', '-1', '1.5', '1e0', '', 'NaN', '99999999999', ' 1'])
      expect(taken('GET', '/search', { 'x-key': 'k', 'x-cost': cost })).toMatchObject({
        title: 'Cost not allowed',
        detail: 'The cost in x-cost is not a whole number from 1 to 5.',
      });
  });
});
