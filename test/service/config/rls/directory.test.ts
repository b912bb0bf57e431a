import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exampleRules, rulesDirectory, rulesIn } from '../../../support/rls-rules.ts';

/** What is wrong with a directory of one file, without its path. */
function mistakesIn(text: string): readonly string[] {
  const directory = rulesDirectory({ 'a.yaml': text });
  return rulesIn(directory).mistakes.map((mistake) => mistake.replace(`RLS_CONFIG_DIR ${directory}/`, ''));
}

const oneRule = (rest: string) => `domain: a\ndescriptors:\n  - key: k\n${rest}`;
const withLimit = (rest: string) => oneRule(`    rate_limit: {unit: day, requests_per_unit: 1}\n${rest}`);

describe('a directory of rules', () => {
  it('holds files of envoyproxy/ratelimit as they are', () => {
    const { rules, mistakes } = rulesIn(exampleRules, { instances: 3, workers: 2 });
    expect(mistakes).toEqual([]);
    expect([...rules.keys()]).toEqual(['edge', 'messaging']);
    const address = rules.get('edge')?.descriptors.get('remote_address')?.rule;
    expect(address?.rate?.limit).toMatchObject({
      prefix: 'rls/second/',
      shared: { capacity: 10, quota: { windowMs: 1000 } },
      fallback: { capacity: 2 },
      onStoreFailure: { mode: 'fallback' },
    });
    expect(rules.get('edge')?.descriptors.get('remote_address_203.0.113.9')?.rule?.rate?.limit).toBeUndefined();
    expect(rules.get('edge')?.descriptors.get('beta')?.rule?.isShadow).toBe(true);
    expect(rules.get('edge')?.descriptors.get('status_404')?.rule?.rate?.limit?.shared.quota.windowMs).toBe(31_536e6);
  });

  it('says what happens without Redis, rule by rule', () => {
    const text = withLimit('    onStoreFailure: {closed: {forSeconds: 10}}\n');
    const { rules } = rulesIn(rulesDirectory({ 'a.yaml': text }));
    const limit = rules.get('a')?.descriptors.get('k')?.rule?.rate?.limit;
    expect(limit?.onStoreFailure).toEqual({ mode: 'closed', forMs: 10_000 });
  });

  it('is its files *.yaml and *.yml, also behind links, and nothing that is hidden', () => {
    const elsewhere = rulesDirectory({ 'b.txt': 'domain: b' });
    const directory = rulesDirectory({ 'a.yml': 'domain: a', '.c.yaml': 'nonsense', 'README.md': '#' });
    mkdirSync(join(directory, '..data'));
    symlinkSync(join(elsewhere, 'b.txt'), join(directory, 'b.yaml'));
    const { rules, mistakes } = rulesIn(directory);
    expect([mistakes, [...rules.keys()]]).toEqual([[], ['a', 'b']]);
  });

  it('takes text as it is written, and what is empty as not there', () => {
    const values = ['1.10', 'yes', '0x10', '12:30', '2026-01-01', '"a b"', 'null', '1_000'];
    const descriptors = values.map((value) => `  - {key: k, value: ${value}, descriptors: , shadow_mode: yes}\n`);
    const { rules, mistakes } = rulesIn(
      rulesDirectory({ 'a.yaml': `domain: 007\ndescriptors:\n${descriptors.join('')}` }),
    );
    expect(mistakes).toEqual([]);
    const lookups = ['k_1.10', 'k_yes', 'k_0x10', 'k_12:30', 'k_2026-01-01', 'k_a b', 'k', 'k_1_000'];
    expect([...(rules.get('007')?.descriptors.keys() ?? [])]).toEqual(lookups);
  });

  it('is told of a mistake in a descriptor beside one that has not the shape of a descriptor', () => {
    const text =
      'domain: a\ndescriptors:\n  - {key: a*}\n  - {key: b, value: c, share_threshold: true}\n  - {key: b, value: c}\n';
    expect(mistakesIn(text)).toEqual([
      expect.stringMatching(/^a\.yaml:3 descriptors\[0\]\.key /),
      expect.stringMatching(/^a\.yaml:4 descriptors\[1\]\.share_threshold /),
      expect.stringMatching(/^a\.yaml:5 descriptors\[2\] /),
    ]);
  });

  it('may merge what is written once', () => {
    const text = `domain: a
descriptors:
  - key: one
    rate_limit: &daily {unit: day, requests_per_unit: 5}
  - key: two
    rate_limit: *daily
  - key: three
    rate_limit: {<<: *daily, unit: hour}
`;
    const { rules, mistakes } = rulesIn(rulesDirectory({ 'a.yaml': text }));
    expect(mistakes).toEqual([]);
    const rates = ['one', 'two', 'three'].map((key) => rules.get('a')?.descriptors.get(key)?.rule?.rate);
    expect(rates.map((rate) => [rate?.requestsPerUnit, rate?.unit])).toEqual([
      [5, 'day'],
      [5, 'day'],
      [5, 'hour'],
    ]);
  });
});

describe('a mistake in a directory of rules', () => {
  const units = 'second, minute, hour, day, week, month, year';
  const fields =
    'key, value, rate_limit, descriptors, shadow_mode, share_threshold, detailed_metric, value_to_metric, quota_mode, metadata, onStoreFailure';
  it.each([
    ['', 'a.yaml:1 it is null; allowed: a mapping with the fields domain, descriptors'],
    ['descriptors:', 'a.yaml:1 domain is missing; allowed: a text that is not empty'],
    ['domain: ""', 'a.yaml:1 domain is ""; allowed: a text that is not empty'],
    ['domain: a\ndomains: b', 'a.yaml:2 domains is no field; allowed: domain, descriptors'],
    ['0.25: a\ndomain: b', 'a.yaml:1 0.25 is no field; allowed: domain, descriptors'],
    ['domain: a\ndescriptors: [a]', `a.yaml:2 descriptors[0] is "a"; allowed: a mapping with the fields ${fields}`],
    ['domain: a\ndescriptors: {}', 'a.yaml:2 descriptors is {}; allowed: a list of descriptors'],
    [
      'domain: a\ndescriptors:\n  - value: b',
      'a.yaml:3 descriptors[0].key is missing; allowed: a text that is not empty',
    ],
    [
      'domain: a\ndescriptors:\n  - key: a*',
      'a.yaml:3 descriptors[0].key is "a*"; allowed: a text without *, which stands for any text in a value only',
    ],
    [oneRule('    ratelimit: {}\n'), `a.yaml:4 descriptors[0].ratelimit is no field; allowed: ${fields}`],
    [
      oneRule('    rate_limit:\n      unit: day\n      requestsperunit: 5\n'),
      'a.yaml:6 descriptors[0].rate_limit.requestsperunit is no field; allowed: unit, requests_per_unit, unlimited, name, replaces',
    ],
    [
      oneRule('    rate_limit: {unit: fortnight}\n'),
      `a.yaml:4 descriptors[0].rate_limit.unit is "fortnight"; allowed: ${units}`,
    ],
    [
      oneRule('    rate_limit: {requests_per_unit: 5}\n'),
      `a.yaml:4 descriptors[0].rate_limit.unit is missing; allowed: ${units}`,
    ],
    [
      oneRule('    rate_limit: {unit: day}\n'),
      'a.yaml:4 descriptors[0].rate_limit.requests_per_unit is missing; allowed: a whole number from 0 to 1000000000',
    ],
    [
      oneRule('    rate_limit: {unit: day, requests_per_unit: -1}\n'),
      'a.yaml:4 descriptors[0].rate_limit.requests_per_unit is -1; allowed: a whole number from 0 to 1000000000',
    ],
    [
      oneRule('    rate_limit: {unit: day, requests_per_unit: 4294967295}\n'),
      'a.yaml:4 descriptors[0].rate_limit.requests_per_unit is 4294967295; allowed: a whole number from 0 to 1000000000',
    ],
    [
      oneRule('    rate_limit: {unlimited: true, unit: day}\n'),
      'a.yaml:4 descriptors[0].rate_limit.unit is day; allowed: not there, with unlimited',
    ],
    [
      oneRule('    rate_limit: {unit: day, requests_per_unit: 1, name: b, replaces: [{name: b}]}\n'),
      'a.yaml:4 descriptors[0].rate_limit.replaces[0].name is b, which is its own; allowed: the name of another rate_limit',
    ],
    [
      oneRule('    rate_limit: {unit: day, requests_per_unit: 1, replaces: [{name: }]}\n'),
      'a.yaml:4 descriptors[0].rate_limit.replaces[0].name is null; allowed: the name of another rate_limit',
    ],
    [
      oneRule('  - key: k\n    value: ""\n'),
      'a.yaml:4 descriptors[1] is for k, as descriptor 0 beside it is; allowed: once in a list',
    ],
    [
      withLimit('    share_threshold: true\n'),
      'a.yaml:5 descriptors[0].share_threshold is true; allowed: only beside a value with *',
    ],
    [
      withLimit('    quota_mode: true\n'),
      'a.yaml:5 descriptors[0].quota_mode is true; allowed: false or not there: a request takes what it asks for of all its limits, or nothing',
    ],
    [
      withLimit('    metadata: {a: b}\n'),
      'a.yaml:5 descriptors[0].metadata is {"a":"b"}; allowed: not there: answers have no dynamic metadata',
    ],
    [
      oneRule('    onStoreFailure: open\n'),
      'a.yaml:4 descriptors[0].onStoreFailure is about no limit; allowed: only beside a rate_limit that is not unlimited',
    ],
    [
      withLimit('    onStoreFailure: fail\n'),
      'a.yaml:5 descriptors[0].onStoreFailure is "fail"; allowed: fallback, open, closed, {open: {forSeconds: COUNT}} or {closed: {forSeconds: COUNT}}',
    ],
    ['domain: a\n---\ndomain: b', 'a.yaml:2 begins a second YAML document; allowed: one'],
  ])('is told with its place: %j', (text, mistake) => {
    expect(mistakesIn(text)).toEqual([mistake]);
  });

  it('is told with the others of all its files', () => {
    const directory = rulesDirectory({
      'a.yaml': 'domain: one\ndescriptors: [{key: k, rate_limit: {unit: eon}}]',
      'b.yaml': '# the same\ndomain: two',
      'c.yaml': '\ndomain: two\ndescriptors: [{key: k, descriptors: [{key: j, values: 1}]}]',
      'd.yaml': "'a",
    });
    expect(rulesIn(directory).mistakes.map((mistake) => mistake.replaceAll(`${directory}/`, ''))).toEqual([
      `RLS_CONFIG_DIR a.yaml:2 descriptors[0].rate_limit.unit is "eon"; allowed: ${units}`,
      `RLS_CONFIG_DIR c.yaml:3 descriptors[0].descriptors[0].values is no field; allowed: ${fields}`,
      'RLS_CONFIG_DIR c.yaml:2 domain is two, as in b.yaml; allowed: each domain in one file',
      expect.stringMatching(/^RLS_CONFIG_DIR d.yaml:1 Missing closing 'quote/),
    ]);
  });

  it('is a domain of two files', () => {
    const directory = rulesDirectory({ 'a.yaml': 'domain: one', 'b.yaml': '# again\ndomain: one' });
    expect(rulesIn(directory).mistakes).toEqual([
      `RLS_CONFIG_DIR ${directory}/b.yaml:2 domain is one, as in ${directory}/a.yaml; allowed: each domain in one file`,
    ]);
  });

  it('is a directory that is none, or is empty, or holds what is no file', () => {
    const empty = rulesDirectory({ 'a.json': '{}' });
    expect(rulesIn(empty).mistakes).toEqual([
      `RLS_CONFIG_DIR is "${empty}", which has 0 files *.yaml or *.yml; allowed: 1 to 100`,
    ]);
    expect(rulesIn(`${empty}/none`).mistakes[0]).toMatch(/^RLS_CONFIG_DIR is ".*none", which cannot be read: ENOENT/);
    expect(rulesIn(`${empty}/a.json`).mistakes[0]).toMatch(/which cannot be read: ENOTDIR/);
    mkdirSync(join(empty, 'a.yaml'));
    expect(rulesIn(empty).mistakes).toEqual([`RLS_CONFIG_DIR ${empty}/a.yaml cannot be read: it is no regular file`]);
    const long = rulesDirectory({});
    writeFileSync(join(long, 'a.yaml'), `domain: a\n#${'x'.repeat(500_000)}`);
    expect(rulesIn(long).mistakes[0]).toMatch(/a.yaml cannot be read: it has 500011 bytes; allowed: 500000$/);
  });

  it('is what holds itself, or is deeper than anybody needs', () => {
    expect(mistakesIn('domain: a\ndescriptors: &a [{key: k, descriptors: *a}]')[0]).toMatch(/nested too deep/);
    const deep = `${'{key: k, descriptors: ['.repeat(16)}${']}'.repeat(16)}`;
    expect(mistakesIn(`domain: a\ndescriptors: [${deep}]`)[0]).toMatch(/nested too deep/);
  });
});
