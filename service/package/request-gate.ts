// What all adapters do with a request, whatever its framework: whose bucket, how much, and what the answer must tell.
//
//   skip? ─ no ─▶ key, cost, policy ─▶ limiter ─▶ headers, and perhaps a refusal

import { z } from 'zod';
import { clientAddress } from '../doors/client-address.ts';
import { keyOfAddress, keyOfHeader } from '../doors/client-key.ts';
import { bucketHeaders, decisionHeaders, quotaExceeded, reducedCapacity } from '../doors/headers.ts';
import { shown, tryReadBy } from '../doors/json/field-mistakes.ts';
import { fields } from '../doors/json/shapes.ts';
import { addressIn } from '../doors/trusted-proxies.ts';
import type { Decision, Limiter } from './limiter.ts';
import type { LimitOption } from './limiter-options.ts';
import { isMapping } from './limits-option.ts';
import { ClosedError, OptionsError } from './options-error.ts';

/** What an adapter is told. What one of the functions throws is the application's error, and goes where its errors go. */
export interface RateLimitOptions<Request> {
  /** Made by `createLimiter`; one for the whole application. */
  readonly limiter: Limiter;
  /** By name; without it the one called `default`, or the only one. */
  readonly policy?: string | ((request: Request) => string | undefined) | undefined;
  /** Limits of this adapter's own, in place of a policy. */
  readonly limits?: LimitOption | readonly LimitOption[] | undefined;
  /**
   * Whose bucket a request takes from, as the id of a user. Without it, or where it says nothing, the address of the client;
   * with IPv6, the first 56 bits of it.
   */
  readonly key?: ((request: Request) => string | undefined | Promise<string | undefined>) | undefined;
  /** Tokens of a request, a whole number from 1; 1 without it. */
  readonly cost?: number | ((request: Request) => number | Promise<number>) | undefined;
  /** Whether a request is not limited. */
  readonly skip?: ((request: Request) => boolean | Promise<boolean>) | undefined;
}

/** What is to be told of a request. */
export interface Verdict {
  /** Names and values of headers, of any answer. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Names of headers that it must not have: those of another limiter, before this one, would be taken for this one's. */
  readonly without: readonly string[];
  /** The answer, where the request may not go on. Its body is in ASCII. */
  readonly refusal: Refusal | undefined;
}

export interface Refusal {
  /** 503 where the policy refuses what it cannot count. */
  readonly status: 429 | 503;
  readonly contentType: 'application/problem+json';
  readonly body: string;
}

/** Bits of an IPv6 address that tell clients apart. */
const ipv6Prefix = 56;

const method = (error: string) => z.custom<() => unknown>((it) => typeof it === 'function', { error });
const costError = 'a whole number from 1, or a function';
const shape = fields({
  limiter: z.custom<Limiter>(isLimiter, { error: 'what createLimiter has made' }),
  policy: z.union([z.string(), method('a function')], { error: 'the name of a policy, or a function' }).optional(),
  limits: z.unknown().optional(),
  key: method('a function from a request to a text').optional(),
  cost: z
    .custom((it) => typeof it === 'function' || (Number.isInteger(it) && (it as number) >= 1), { error: costError })
    .optional(),
  skip: method('a function from a request to true or false').optional(),
});

function isLimiter(value: unknown): boolean {
  const it = value as Partial<Limiter> | null | undefined;
  return typeof it?.take === 'function' && typeof it.check === 'function';
}

/** A request or a context: `rateLimit` is used without being called. Its fields would be named as mistakes. */
function isOfFramework(options: unknown): boolean {
  if (typeof options !== 'object' || options === null || 'limiter' in options) return false;
  const prototype = Object.getPrototypeOf(options);
  return isMapping(options) && prototype !== Object.prototype && prototype !== null;
}

/**
 * Resolves to what is to be told, undefined where nothing is: the request is skipped, or the limiter is closed. `addressOf`:
 * the client's, as far as the framework knows it; `use`: how the adapter is used there. Throws an `OptionsError` that names
 * every mistake in the options.
 */
export function createRequestGate<Request>(
  options: RateLimitOptions<Request>,
  addressOf: (request: Request) => string | undefined,
  use: string,
): (request: Request) => Promise<Verdict | undefined> {
  if (isOfFramework(options))
    throw new OptionsError('rateLimit', [`the options are no options but something of a framework; allowed: ${use}`]);
  const read = tryReadBy<unknown>(shape, options, 'the options');
  if ('mistakes' in read)
    throw new OptionsError(
      'rateLimit',
      read.mistakes.map(({ detail }) => detail),
    );
  const { limiter, limits, policy, key: ownKey, cost = 1, skip } = options;
  if (typeof policy !== 'function')
    limiter.check({ policy, limits, cost: typeof cost === 'number' ? cost : undefined });

  const verdictOn = (request: Request) =>
    after(skip?.(request), (isSkipped) => {
      if (isSkipped) return undefined;
      return after(ownKey?.(request), (own) => {
        const key = keyBy(own) ?? keyOfClient(addressOf(request));
        return after(typeof cost === 'function' ? cost(request) : cost, (cost) => {
          const policyNow = typeof policy === 'function' ? policy(request) : policy;
          return limiter.take(key, { cost, policy: policyNow, limits }).then(verdictBy, undefinedIfClosed);
        });
      });
    });
  return (request) => {
    try {
      return Promise.resolve(verdictOn(request));
    } catch (thrown) {
      return Promise.reject(errorOf(thrown));
    }
  };
}

/** At once where the value is there already: each promise is a good part of what a limit costs a request. */
function after<Value, Result>(
  value: Value | Promise<Value>,
  then: (value: Value) => Result | Promise<Result>,
): Result | Promise<Result> {
  if (!isThenable(value)) return then(value);
  return Promise.resolve(value)
    .then(then)
    .catch((thrown: unknown) => {
      throw errorOf(thrown);
    });
}

function isThenable<Value>(value: Value | Promise<Value>): value is Promise<Value> {
  return typeof (value as Partial<Promise<Value>> | null | undefined)?.then === 'function';
}

function verdictBy(decision: Decision): Verdict {
  const headers = inPairs(decisionHeaders(decision, Date.now()));
  const without = decision.remaining === undefined ? bucketHeaders : [];
  if (decision.allowed) return { headers, without, refusal: undefined };
  const [status, body] =
    decision.mechanism === 'closed'
      ? ([503, reducedCapacity(decision)] as const)
      : ([429, quotaExceeded(decision)] as const);
  return { headers, without, refusal: { status, contentType: 'application/problem+json', body } };
}

/** The application ends then, and answers what it has accepted. */
function undefinedIfClosed(error: unknown): undefined {
  if (!(error instanceof ClosedError)) throw errorOf(error);
}

/** Undefined where an application's key says nothing. */
function keyBy(own: unknown): string | undefined {
  if (own === undefined || own === null || own === '') return undefined;
  if (typeof own === 'string') return keyOfHeader(own);
  throw new OptionsError('rateLimit', [`key is ${shown(own)}; allowed: a text, or nothing for the client's address`]);
}

/** Frameworks let requests pass, or hang, for `undefined`, and Express for the text `route`, too. */
function errorOf(thrown: unknown): unknown {
  const isError = typeof thrown === 'object' && thrown !== null;
  return isError ? thrown : new Error(`rateLimit: a function has thrown ${String(thrown)}`);
}

/** A framework may take the address from a proxy's header as it stands there: with a port, or no address at all. */
function keyOfClient(address: string | undefined): string {
  if (address === undefined) {
    const why = 'the address of the client is not known, as of one that has gone';
    throw new OptionsError('rateLimit', [`key is missing, and ${why}; allowed: a key`]);
  }
  const known = addressIn(address);
  return keyOfAddress(known === undefined ? address : clientAddress(known, ipv6Prefix));
}

function inPairs(headers: readonly string[]): Verdict['headers'] {
  const pairs: [string, string][] = [];
  for (let i = 0; i < headers.length; i += 2) pairs.push([headers[i] as string, headers[i + 1] as string]);
  return pairs;
}
