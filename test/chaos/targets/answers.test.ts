import { describe, expect, it } from 'vitest';
import { readerOf, takeFor, unlikeStatus } from '../../../chaos/targets/answers.ts';
import { failopen } from '../../../chaos/targets/failopen.ts';
import { type Answer, plain } from '../../../chaos/targets/target.ts';

const answered = (status: number, headers: Record<string, string> = {}, body = '') => ({
  status,
  header: (name: string) => headers[name],
  body: () => body,
});

describe('a take', () => {
  it('has the key and the cost wherever they are named', () => {
    const take = {
      method: 'POST',
      path: '/check/{key}',
      headers: { 'x-key': '{key}', accept: '*/*' },
      body: '{"key":"{key}","cost":{cost},"other":"{other}"}',
    };
    expect(takeFor(take, 'k1-ab')).toEqual({
      method: 'POST',
      path: '/check/k1-ab',
      headers: { 'x-key': 'k1-ab', accept: '*/*' },
      body: '{"key":"k1-ab","cost":1,"other":"{other}"}',
    });
  });

  it('of a plain limiter is a GET of / with the key in x-key', () => {
    expect(takeFor(plain.take, 'k1')).toEqual({ method: 'GET', path: '/', headers: { 'x-key': 'k1' } });
  });
});

describe('the answer of a plain limiter', () => {
  const read = readerOf(plain.answer);

  it.each([
    [200, 'allowed'],
    [204, 'allowed'],
    [429, 'denied'],
    [302, 'failed'],
    [404, 'failed'],
    [503, 'failed'],
  ])('of status %i is %s, which needs no word of its own', (status, outcome) => {
    const reading = read(answered(status));
    expect(reading).toEqual({ outcome, source: null, remaining: null });
    expect(unlikeStatus(reading, status)).toEqual({});
  });

  it.each([
    [{ 'x-ratelimit-remaining': '7' }, 7],
    [{ ratelimit: '"default";r=4;t=5' }, 4],
    [{ ratelimit: 'limit=10, remaining=3, reset=5' }, 3],
    [{ 'x-ratelimit-remaining': '0', ratelimit: '"default";r=4' }, 0],
    [{ 'x-ratelimit-remaining': '-1' }, null],
    [{ 'x-ratelimit-remaining': '' }, null],
    [{ ratelimit: '"for=4";t=5' }, null],
  ])('with the headers %j tells that %s are left', (headers, remaining) => {
    expect(read(answered(200, headers)).remaining).toBe(remaining);
  });

  it.each([
    ['3', 3],
    ['0', 0],
    ['-1', undefined],
    ['Wed, 21 Oct 2026 07:28:00 GMT', undefined],
  ])('with Retry-After: %s says to ask again in %s s', (header, retryAfterS) => {
    expect(read(answered(429, { 'retry-after': header })).retryAfterS).toBe(retryAfterS);
  });

  it.each([
    ['redis', 'shared'],
    ['fallback', 'local'],
    ['elsewhere', null],
  ])('that was decided by %s has the source %s', (told, source) => {
    expect(read(answered(200, { 'x-ratelimit-mechanism': told })).source).toBe(source);
  });
});

it("this project's own tells what remains by one header alone", () => {
  expect(readerOf(failopen.answer)(answered(200, { ratelimit: '"default";r=4' })).remaining).toBeNull();
});

it.each([
  ['open', 200, 'allowed'],
  ['open', 429, 'failed'],
  ['open', 503, 'failed'],
  ['closed', 503, 'denied'],
  ['closed', 429, 'failed'],
  ['closed', 200, 'failed'],
])("this project's own has no bucket behind %s, which with status %i is %s", (told, status, outcome) => {
  const reading = readerOf(failopen.answer)(answered(status, { 'x-ratelimit-mechanism': told }));
  expect(reading).toEqual({ outcome, source: 'none', remaining: null });
  expect(readerOf(plain.answer)(answered(status, { 'x-ratelimit-mechanism': told })).source).toBeNull();
});

it('that names the decider in words of its own is read by them, and by no others', () => {
  const read = readerOf({ ...plain.answer, source: { header: 'x-by', words: { shared: 'db', local: 'memory' } } });
  const sources = ['db', 'memory', 'redis'].map((word) => read(answered(200, { 'x-by': word })).source);
  expect(sources).toEqual(['shared', 'local', null]);
});

describe('an answer that tells in its body', () => {
  const answer: Answer = {
    allowed: { status: 200, pointer: '/allowed', equals: true },
    denied: { status: 200, pointer: '/allowed', equals: false },
    remaining: [{ pointer: '/left/~1a~0b' }],
    source: { pointer: '/by' },
  };
  const read = readerOf(answer);

  it('is read by JSON Pointers, and its outcome is recorded where its status would say another', () => {
    const denied = read(answered(200, {}, '{"allowed":false,"left":{"/a~b":2.5},"by":"fallback"}'));
    expect(denied).toEqual({ outcome: 'denied', source: 'local', remaining: 2.5 });
    expect(unlikeStatus(denied, 200)).toEqual({ outcome: 'denied' });
    expect(unlikeStatus(read(answered(200, {}, '{"allowed":true}')), 200)).toEqual({});
  });

  it.each(['', 'no JSON', 'null', '[]', '{"allowed":"yes"}', '{"left":{"/a~b":-1}}'])(
    'has failed where it is %j',
    (body) => {
      expect(read(answered(200, {}, body))).toEqual({ outcome: 'failed', source: null, remaining: null });
    },
  );
});
