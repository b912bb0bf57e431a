import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  keyOfEntries,
  matchesParts,
  matchOf,
  type RlsEntry,
  withoutReplaced,
} from '../../../../service/doors/rls/matching.ts';
import type { RlsRules } from '../../../../service/doors/rls/rules.ts';
import { exampleRules, rulesDirectory, rulesIn } from '../../../support/rls-rules.ts';

const entriesOf = (...pairs: readonly (readonly [string, string])[]): RlsEntry[] =>
  pairs.map(([key, value]) => ({ key, value }));

/** `20 a minute`, `unlimited`, or undefined where nothing limits it. */
function limitOf(rules: RlsRules, domain: string, ...pairs: readonly (readonly [string, string])[]) {
  const { rule } = matchOf(rules, domain, entriesOf(...pairs)) ?? {};
  if (!rule) return undefined;
  return rule.rate ? `${rule.rate.requestsPerUnit} a ${rule.rate.unit}` : 'unlimited';
}

const { rules } = rulesIn(exampleRules);
const inEdge = (...pairs: readonly (readonly [string, string])[]) => limitOf(rules, 'edge', ...pairs);
const keyIn = (...pairs: readonly (readonly [string, string])[]) => matchOf(rules, 'edge', entriesOf(...pairs))?.key;

describe('a descriptor', () => {
  it('falls under the rule for its value, before that for its key', () => {
    expect(inEdge(['remote_address', '192.0.2.1'])).toBe('10 a second');
    expect(inEdge(['remote_address', '203.0.113.9'])).toBe('0 a second');
    expect(inEdge(['client', 'monitoring'])).toBeUndefined();
    expect(inEdge(['status', '404'])).toBe('1000 a year');
    expect(inEdge(['status', '500'])).toBeUndefined();
  });

  it('falls under a rule that is as deep as it has entries, and no other', () => {
    expect(inEdge(['plan', 'free'])).toBeUndefined();
    expect(inEdge(['plan', 'free'], ['route', '/'])).toBe('20 a minute');
    expect(inEdge(['plan', 'free'], ['route', 'export'])).toBe('3 a day');
    expect(inEdge(['plan', 'free'], ['route', 'export'], ['user', 'a'])).toBeUndefined();
    expect(inEdge(['plan', 'paid'], ['route', '/'])).toBe('unlimited');
    expect(inEdge(['route', '/'], ['plan', 'free'])).toBeUndefined();
    expect(inEdge(['remote_address', '192.0.2.1'], ['route', '/'])).toBeUndefined();
    expect(inEdge()).toBeUndefined();
  });

  it('is looked up in its own domain, with the case of its letters', () => {
    expect(limitOf(rules, 'messaging', ['message_type', 'marketing'], ['to_number', '1'])).toBe('5 a day');
    expect(limitOf(rules, 'messaging', ['remote_address', '192.0.2.1'])).toBeUndefined();
    expect(limitOf(rules, 'nobody', ['to_number', '1'])).toBeUndefined();
    expect(limitOf(rules, 'messaging', ['To_Number', '1'])).toBeUndefined();
  });

  it('falls under the first wildcard that it matches, after its own value and before its key', () => {
    expect(inEdge(['path', '/files/a'])).toBe('100 a week');
    expect(inEdge(['path', '/api/v2/search'])).toBe('50 a second');
    expect(inEdge(['path', '/api/v1/search'])).toBe('7 a month');
    expect(inEdge(['path', '/api/search'])).toBeUndefined();
    const rate = (count: number) => `rate_limit: {unit: day, requests_per_unit: ${count}}`;
    const three = rulesIn(
      rulesDirectory({
        'a.yaml': `domain: a\ndescriptors:\n  - {key: k, ${rate(1)}}\n  - {key: k, value: 'a*', ${rate(2)}}\n  - {key: k, value: '*b', ${rate(3)}}\n`,
      }),
    ).rules;
    const of = (value: string) => limitOf(three, 'a', ['k', value]);
    expect(['ab', 'xb', 'x', '', 'a'].map(of)).toEqual(['2 a day', '3 a day', '1 a day', '1 a day', '2 a day']);
  });

  it('has the bucket of what it says, or of the wildcard that shares one', () => {
    expect(keyIn(['path', '/files/a'])).toBe('rls:edge|path=/files/a');
    expect(keyIn(['path', '/api/v2/search'])).toBe('rls:edge|path=/api/*/search');
    expect(keyIn(['path', '/api/v3/search'])).toBe('rls:edge|path=/api/*/search');
    expect(keyIn(['plan', 'free'], ['route', '/'])).toBe('rls:edge|plan=free|route=/');
  });

  it.each(['constructor', '__proto__', 'toString'])('falls under no rule by the name %s', (name) => {
    expect(inEdge([name, name])).toBeUndefined();
    expect(limitOf(rules, name, ['to_number', '1'])).toBeUndefined();
  });
});

describe('a wildcard', () => {
  it('matches what a regular expression with .* in its place matches', () => {
    const texts = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 });
    fc.assert(
      fc.property(fc.array(texts, { minLength: 2, maxLength: 4 }), texts, (parts, text) => {
        expect(matchesParts(text, parts)).toBe(new RegExp(`^${parts.join('.*')}$`).test(text));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('rules of one request', () => {
  const both = (...keys: readonly string[]) => keys.map((key) => matchOf(rules, 'edge', entriesOf([key, 'a'])));
  const left = (...keys: readonly string[]) =>
    withoutReplaced(both(...keys)).map((match) => match?.rule.rate?.requestsPerUnit);

  it('do not count where another one replaces them', () => {
    expect(left('client', 'partner', 'remote_address')).toEqual([undefined, 5000, 10]);
    expect(left('partner', 'client')).toEqual([5000, undefined]);
    expect(left('client', 'remote_address')).toEqual([30, 10]);
    expect(left('client', 'nothing')).toEqual([30, undefined]);
  });

  it('replace others though they are replaced themselves', () => {
    const limit = (name: string, other: string) =>
      `{unit: day, requests_per_unit: 1, name: ${name}, replaces: [{name: ${other}}]}`;
    const text = `domain: a\ndescriptors: [{key: a, rate_limit: ${limit('a', 'b')}}, {key: b, rate_limit: ${limit('b', 'a')}}]`;
    const circle = rulesIn(rulesDirectory({ 'a.yaml': text })).rules;
    const matches = ['a', 'b'].map((key) => matchOf(circle, 'a', entriesOf([key, ''])));
    expect(matches.map((match) => match?.rule.name)).toEqual(['a', 'b']);
    expect(withoutReplaced(matches)).toEqual([undefined, undefined]);
  });
});

describe('the key of a descriptor', () => {
  it('says all of it, so that it is never that of another one', () => {
    const texts = fc.string({ unit: fc.constantFrom('a', '|', '=', '%', '%7C', '_'), maxLength: 3 });
    const entries = fc.array(fc.record({ key: texts, value: texts }), { maxLength: 3 });
    fc.assert(
      fc.property(texts, entries, (domain, said) => {
        const [first, ...rest] = keyOfEntries(domain, said).slice('rls:'.length).split('|');
        const pairs = rest.map((part) => part.split('=').map(decodeURIComponent));
        expect(decodeURIComponent(first as string)).toBe(domain);
        expect(pairs).toEqual(said.map(({ key, value }) => [key, value]));
      }),
    );
  });

  it('is a hash where that would be long', () => {
    const long = (value: string) => keyOfEntries('edge', entriesOf(['path', value.repeat(10_000)]));
    expect(long('a')).toMatch(/^rls:=[\w-]{43}$/);
    expect(long('a')).not.toBe(long('b'));
    expect(keyOfEntries('=', [])).toBe('rls:%3D');
  });
});
