// The commands that take: `CL.THROTTLE` as redis-cell has it, `THROTTLE` as throttlecrab has it. Both bring their limit along,
// and both are a token bucket: of max_burst + 1 tokens to the one, of max_burst to the other.

import type { Buckets } from '../../core/buckets.ts';
import type { Limit } from '../../core/limit.ts';
import type { Limiter } from '../../core/limiter.ts';
import { type Asker, type Decision, type Take, takeOf } from '../../core/store.ts';
import { bucketKeyOf } from '../bucket-key.ts';
import { keyOfHeader } from '../client-key.ts';
import { textOfBytes } from '../utf8-bytes.ts';
import type { CallerLimits } from './caller-limits.ts';
import type { CommandKind, Later } from './command.ts';
import type { Command } from './command-reader.ts';
import { error } from './replies.ts';

export interface ThrottleParts {
  readonly limiter: Pick<Limiter, 'ask'>;
  readonly buckets: Pick<Buckets, 'look'>;
  readonly limits: CallerLimits;
}

/** What the two differ in. */
interface Dialect {
  readonly name: string;
  readonly burstMin: number;
  /** Tokens of a bucket, beyond max_burst. */
  readonly beyondBurst: number;
  readonly usageError: string;
  readonly numberError: (field: string, text: string) => string;
  readonly rateError: string;
  readonly reply: (decision: Decision) => string;
}

const usage = 'key max_burst count_per_period period [quantity]';
const fields = ['max_burst', 'count_per_period', 'period', 'quantity'] as const;

const redisCell: Dialect = {
  name: 'cl.throttle',
  burstMin: 0,
  beyondBurst: 1,
  usageError: 'Cell error: Store error: Usage: cl.throttle <key> <max_burst> <count per period> <period> [<quantity>]',
  numberError: (_, text) => `Cell error: Store error: Couldn't parse as integer: ${text}`,
  rateError: 'Cell error: Store error: Zero rates are not supported',
  reply({ allowed, limit, remaining = 0, retryAfterMs, resetMs }) {
    const retryAfter = allowed || retryAfterMs === Number.POSITIVE_INFINITY ? -1 : secondsOf(retryAfterMs);
    return `*5\r\n:${allowed ? 0 : 1}\r\n:${limit}\r\n:${remaining}\r\n:${retryAfter}\r\n:${secondsOf(resetMs)}\r\n`;
  },
};

const throttlecrab: Dialect = {
  name: 'throttle',
  burstMin: 1,
  beyondBurst: 0,
  usageError: "ERR wrong number of arguments for 'throttle' command",
  numberError: (field) => `ERR invalid ${field}`,
  rateError: 'ERR Rate limit check failed: invalid rate limit parameters',
  reply({ allowed, limit, remaining = 0, retryAfterMs, resetMs }) {
    const retryAfter = retryAfterMs === Number.POSITIVE_INFINITY ? -1 : secondsOf(retryAfterMs);
    return `*5\r\n:${allowed ? 1 : 0}\r\n:${limit}\r\n:${remaining}\r\n:${secondsOf(resetMs)}\r\n:${retryAfter}\r\n`;
  },
};

export function throttleCommands(parts: ThrottleParts): CommandKind[] {
  return [
    kindOf(redisCell, parts, 'Takes tokens of a key; 0, limit, remaining, seconds to wait or -1, seconds until full.'),
    kindOf(throttlecrab, parts, 'Takes tokens of a key; 1, limit, remaining, seconds until full, seconds to wait.'),
  ];
}

function kindOf(dialect: Dialect, { limiter, buckets, limits }: ThrottleParts, summary: string): CommandKind {
  const { reply } = dialect;
  let last: Brought | undefined;
  return {
    name: dialect.name,
    words: [1, Number.POSITIVE_INFINITY], // it has an error of its own
    usage,
    summary,
    isAlone: ([, , , , , quantity]) => quantity !== undefined && /^[+-]?0+$/.test(quantity),
    run(command, _, later) {
      const asked = askedBy(command, dialect, limits, last);
      if (typeof asked === 'string') return error(asked);
      last = asked.brought;
      // To look is to ask without a take: it is answered as allowed, whatever is left.
      if (asked.isLook)
        return buckets.look(asked.take).then((decision) => reply({ ...decision, allowed: true, retryAfterMs: 0 }));
      const decision = limiter.ask(asked.take, new Taker(reply, later));
      return decision && reply(decision);
    },
  };
}

class Taker implements Asker {
  readonly #reply: Dialect['reply'];
  readonly #later: Later;

  constructor(reply: Dialect['reply'], later: Later) {
    this.#reply = reply;
    this.#later = later;
  }

  decided(decision: Decision): void {
    this.#later.answered(this.#reply(decision));
  }

  failed(defect: unknown): void {
    this.#later.failed(defect);
  }
}

/** The limit that a command brought along, in words and in numbers. */
interface Brought {
  readonly command: Command;
  readonly capacity: number;
  readonly limit: Limit;
}

interface Asked {
  readonly take: Take;
  readonly isLook: boolean;
  readonly brought: Brought;
}

/** Seconds of the longest window, and tokens of the largest bucket. */
const windowMax = 31_536_000;
const tokensMax = 1_000_000_000;

/** What the command asks for, or what is wrong with it. `last`: what one before it brought, mostly the same. */
function askedBy(command: Command, dialect: Dialect, limits: CallerLimits, last: Brought | undefined): Asked | string {
  const { length } = command;
  if (length !== 5 && length !== 6) return dialect.usageError;
  const again = last && bringsTheSame(command, last.command) ? last : undefined;
  const numbers = [0, 0, 0, 1];
  for (let i = again ? 5 : 2; i < length; i++) {
    const number = integerOf(command[i] as string);
    if (number === undefined) return dialect.numberError(fields[i - 2] as string, command[i] as string);
    numbers[i - 2] = number;
  }
  const brought = again ?? broughtBy(command, numbers, dialect, limits);
  if (typeof brought === 'string') return brought;
  const quantity = numbers[3] as number;
  const tooLarge = beyond(command, 3, quantity, 0, Number.MAX_SAFE_INTEGER);
  if (tooLarge) return tooLarge;
  const key = keyOfHeader(bucketKeyOf(textOfBytes(command[1] as string)));
  // More than the bucket ever holds is refused like one token more.
  const cost = Math.min(Math.max(quantity, 1), brought.capacity + 1);
  return { take: takeOf([brought.limit], key, cost), isLook: quantity === 0, brought };
}

function bringsTheSame(command: Command, other: Command): boolean {
  return command[2] === other[2] && command[3] === other[3] && command[4] === other[4];
}

/** The limit of `numbers`, which are those of the command, or what is wrong with it. */
function broughtBy(
  command: Command,
  numbers: readonly number[],
  { rateError, burstMin, beyondBurst }: Dialect,
  limits: CallerLimits,
): Brought | string {
  const [burst, count, period] = numbers as [number, number, number];
  if (count === 0 || period === 0) return rateError;
  const tooLarge =
    beyond(command, 0, burst, burstMin, tokensMax - beyondBurst) ??
    beyond(command, 1, count, 1, tokensMax) ??
    beyond(command, 2, period, 1, windowMax);
  if (tooLarge) return tooLarge;
  const capacity = burst + beyondBurst;
  const windowSeconds = (capacity * period) / count;
  if (windowSeconds > windowMax)
    return `ERR an empty bucket of ${capacity} tokens is full after ${Math.ceil(windowSeconds)} seconds; allowed: up to ${windowMax}`;
  return { command, capacity, limit: limits.of({ capacity, count, periodSeconds: period }) };
}

/** `value`: of the field `at`, which is told as it was written. */
function beyond(command: Command, at: number, value: number, min: number, max: number): string | undefined {
  if (value >= min && value <= max) return undefined;
  return `ERR ${fields[at]} is ${command[at + 2]}; allowed: a whole number from ${min} to ${max}`;
}

/** As a signed number of 64 bits is written; one beyond what is exact here is far beyond what is allowed anyway. */
function integerOf(text: string): number | undefined {
  const sign = text.charCodeAt(0);
  const { length } = text;
  let from = sign === plus || sign === minus ? 1 : 0;
  while (from < length - 1 && text.charCodeAt(from) === zero) from++;
  if (length === from || length > from + 19) return undefined;
  let number = 0;
  for (let i = from; i < length; i++) {
    const digit = text.charCodeAt(i) - zero;
    if (digit < 0 || digit > 9) return undefined;
    number = 10 * number + digit;
  }
  if (sign === minus) number = -number;
  if (!Number.isSafeInteger(number)) number = Number(text); // the nearest there is
  return Math.abs(number) <= 2 ** 63 ? number : undefined;
}

const plus = 43;
const minus = 45;
const zero = 48;

/** Rounded up, from whole milliseconds, as redis-cell does. */
function secondsOf(ms: number): number {
  return Math.ceil(Math.floor(ms) / 1000);
}
