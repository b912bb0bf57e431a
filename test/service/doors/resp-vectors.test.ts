import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LocalStore } from '../../../service/core/local-store.ts';
import type { Take } from '../../../service/core/store.ts';
import { CallerLimits } from '../../../service/doors/resp/caller-limits.ts';
import type { CommandKind, Session } from '../../../service/doors/resp/command.ts';
import { throttleCommands } from '../../../service/doors/resp/throttle.ts';
import { RedisCell, vectors } from '../../support/redis-cell.ts';

const session: Session = { id: 1, protocol: 2, isKnown: true, name: '', isOver: false };

/** The two commands, before token buckets with a clock of the test's own. */
function commandsAt(clock: { ms: number }) {
  const store = new LocalStore({ keysMax: 10_000, nowUs: () => 1e15 + clock.ms * 1000 });
  const look = async (take: Take) => store.look(take);
  const limits = new CallerLimits({ workers: 1 });
  const limiter = { ask: (take: Take) => store.decide(take) };
  const kinds = new Map(throttleCommands({ limiter, buckets: { look }, limits }).map((kind) => [kind.name, kind]));
  const never = { answered: () => expect.unreachable(), failed: () => expect.unreachable() };
  return async (name: string, text: string): Promise<string | undefined> =>
    (kinds.get(name) as CommandKind).run([name, ...(text === '' ? [] : text.split(' '))], session, never);
}

/** The five integers; an error as it is. */
const answerOf = (reply = '') =>
  reply.startsWith('*5') ? reply.split('\r\n:').slice(1).map(Number.parseFloat) : reply;

describe('CL.THROTTLE', () => {
  it('is given as many vectors as promised', () => {
    expect(vectors.length).toBeGreaterThanOrEqual(50);
  });

  it('answers as redis-cell does, all vectors', async () => {
    const clock = { ms: 0 };
    const ask = commandsAt(clock);
    const redisCell = new RedisCell();
    for (const [atMs, text, answer] of vectors) {
      const [key = '', ...numbers] = text.split(' ');
      const [burst, count, period, quantity] = numbers.map(Number) as [number, number, number, number?];
      expect([atMs, text, redisCell.throttle(atMs, key, burst, count, period, quantity)]).toEqual([atMs, text, answer]);
      clock.ms = atMs;
      expect([atMs, text, answerOf(await ask('cl.throttle', text))]).toEqual([atMs, text, answer]);
    }
  });

  it('answers as redis-cell does, whatever is taken when', async () => {
    const rates = fc.constantFrom([0, 1, 1], [4, 1, 1], [15, 30, 60], [9, 1000, 1], [99, 100, 86_400], [3, 8, 10]);
    const steps = fc.array(fc.record({ afterMs: fc.nat(4000), quantity: fc.nat(8) }), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(rates, steps, async ([burst = 0, count = 1, period = 1], taken) => {
        const clock = { ms: 0 };
        const ask = commandsAt(clock);
        const redisCell = new RedisCell();
        for (const { afterMs, quantity } of taken) {
          clock.ms += afterMs;
          const answer = answerOf(await ask('cl.throttle', `k ${burst} ${count} ${period} ${quantity}`));
          expect(answer).toEqual(redisCell.throttle(clock.ms, 'k', burst, count, period, quantity));
        }
      }),
    );
  });

  it.each([
    ['', 'Cell error: Store error: Usage: cl.throttle <key> <max_burst> <count per period> <period> [<quantity>]'],
    [
      'k 1 1 1 1 1',
      'Cell error: Store error: Usage: cl.throttle <key> <max_burst> <count per period> <period> [<quantity>]',
    ],
    ['k 1.5 1 1', "Cell error: Store error: Couldn't parse as integer: 1.5"],
    ['k 1 1 99999999999999999999', "Cell error: Store error: Couldn't parse as integer: 99999999999999999999"],
    ['k 1 0 1', 'Cell error: Store error: Zero rates are not supported'],
    ['k 1 1 0', 'Cell error: Store error: Zero rates are not supported'],
    ['k -1 1 1', 'ERR max_burst is -1; allowed: a whole number from 0 to 999999999'],
    ['k 9223372036854775807 1 1', 'ERR max_burst is 9223372036854775807; allowed: a whole number from 0 to 999999999'],
    ['k 1000000000 1 1', 'ERR max_burst is 1000000000; allowed: a whole number from 0 to 999999999'],
    ['k 1 1 1 -1', 'ERR quantity is -1; allowed: a whole number from 0 to 9007199254740991'],
    ['k 1 1 31536000', 'ERR an empty bucket of 2 tokens is full after 63072000 seconds; allowed: up to 31536000'],
  ])('says what is wrong: %s', async (text, message) => {
    expect(await commandsAt({ ms: 0 })('cl.throttle', text)).toBe(`-${message}\r\n`);
  });

  it('reads numbers as redis-cell does', async () => {
    const zeros = '0'.repeat(30);
    for (const text of ['k +04 1 +1 01', `k ${zeros}4 1 1 +${zeros}1`])
      expect(answerOf(await commandsAt({ ms: 0 })('cl.throttle', text))).toEqual([0, 5, 4, -1, 1]);
  });

  it('takes a key of any length, and each has a bucket of its own', async () => {
    const ask = commandsAt({ ms: 0 });
    const long = 'k'.repeat(10_000);
    const hash = `sha256:${createHash('sha256').update(long, 'utf16le').digest('base64url')}`;
    for (const key of [long, `${long}k`, hash, 'sha256:'])
      expect(answerOf(await ask('cl.throttle', `${key} 0 1 3600`)).slice(0, 3)).toEqual([0, 1, 0]);
    expect(answerOf(await ask('cl.throttle', `${long} 0 1 3600`)).slice(0, 3)).toEqual([1, 1, 0]);
  });
});

describe('THROTTLE', () => {
  it('answers in the order of throttlecrab, with a bucket of max_burst tokens', async () => {
    const ask = commandsAt({ ms: 0 });
    const answers = [];
    for (const text of ['k 2 1 10', 'k 2 1 10', 'k 2 1 10', 'k 2 1 10 0', 'k 2 1 10 3'])
      answers.push(answerOf(await ask('throttle', text)));
    expect(answers).toEqual([
      [1, 2, 1, 10, 0],
      [1, 2, 0, 20, 0],
      [0, 2, 0, 20, 10],
      [1, 2, 0, 20, 0],
      [0, 2, 0, 20, -1],
    ]);
  });

  it.each([
    ['k', "ERR wrong number of arguments for 'throttle' command"],
    ['k x 1 1', 'ERR invalid max_burst'],
    ['k 1 1 1 x', 'ERR invalid quantity'],
    ['k 1 0 1', 'ERR Rate limit check failed: invalid rate limit parameters'],
    ['k 0 1 1', 'ERR max_burst is 0; allowed: a whole number from 1 to 1000000000'],
  ])('says what is wrong: %s', async (text, message) => {
    expect(await commandsAt({ ms: 0 })('throttle', text)).toBe(`-${message}\r\n`);
  });
});
