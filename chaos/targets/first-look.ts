// A look at a target before there is load on it: whether it is ready, and what its answers tell.

import { sleep } from '../clock.ts';
import { UsageError } from '../errors.ts';
import type { Reportable } from '../history.ts';
import type { Outcome } from '../outcome.ts';
import { oneLine } from '../printable.ts';
import { type Answered, holds, lookAt, readerOf, takeFor } from './answers.ts';
import { mechanismOf } from './mechanisms.ts';
import type { Readiness, Take, Target } from './target.ts';

const answerMsMax = 2000;
const looks = 3;
/** For a decision: a limiter may be ready before it has found its store. */
const decidedMsMax = 5000;
const lookEveryMs = 200;
/** Of a body that says something else. */
const shownMax = 200;

/** Looks whether a target is ready at an address, and can say why it was not. */
export class ReadyLook {
  readonly #ready: Target['ready'];
  readonly #url: string;
  #last: { readonly asked: Readiness; readonly seen: Answered | Error } | undefined;

  constructor({ ready }: Target, url: string) {
    this.#ready = ready;
    this.#url = url;
  }

  async isReady(): Promise<boolean> {
    this.#last = undefined;
    for (const asked of this.#ready) {
      const { path, ...condition } = asked;
      const redirect = String(condition.status).startsWith('3') ? 'manual' : 'follow';
      const take = { method: 'GET', path, headers: {} };
      const seen = await answered(this.#url, take, redirect).catch((error: Error) => error);
      if (!(seen instanceof Error) && holds(condition, seen)) return true;
      if (!this.#last || !(seen instanceof Error)) this.#last = { asked, seen };
    }
    return false;
  }

  /** What it did at the last look, as the end of a sentence. */
  get why(): string {
    const { asked, seen } = this.#last ?? {};
    if (!asked || !seen || seen instanceof Error) {
      const paths = this.#ready.map(({ path }) => oneLine(path)).join(' or ');
      const reason = seen instanceof Error && !isRefused(seen) ? `: ${whyNone(seen)}` : '';
      return `never answered a GET of ${paths} at ${this.#url}${reason}`;
    }
    const { path, ...condition } = asked;
    return `answered a GET of ${oneLine(path)} at ${this.#url} by ${wordsOf(seen)}; wanted: ${JSON.stringify(condition)}`;
  }
}

function isRefused({ cause }: Error): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED';
}

/**
 * What it says it gives; else what its answers to takes of a key of nobody's give. Throws a `UsageError` when it is asked and
 * decides none of them, or when none tells what its file says they tell: then it is not asked, or not understood, as it wants
 * to be.
 */
export async function givenBy(target: Target, url: string): Promise<readonly Reportable[]> {
  const { gives, take, answer, breaker, promises = [] } = target;
  if (gives) return gives;
  const read = readerOf(answer);
  const found = new Set<Reportable>(breaker ? ['breaker'] : []);
  const endMs = performance.now() + decidedMsMax;
  const seenAs = new Set<Outcome>();
  const isDecided = () => seenAs.has('allowed') || seenAs.has('denied');
  /** Of what remains an answer may tell by which it gives alone. */
  const isMissing = (it: Reportable) => !found.has(it) && (it !== 'remaining' || seenAs.has('allowed'));
  const isTelling = () => isDecided() && !promises.some(isMissing);
  let last: Answered | Error = new Error('not asked');
  for (let look = 0; look < looks || (!isTelling() && performance.now() < endMs); look++) {
    if (look >= looks) await sleep(lookEveryMs);
    last = await answered(url, takeFor(take, 'first-look'), 'manual').catch((error: Error) => error);
    if (last instanceof Error) continue;
    const told = read(last);
    seenAs.add(told.outcome);
    if (told.source != null) found.add('source');
    if (told.remaining != null) found.add('remaining');
  }
  if (!isDecided()) throw new UsageError(undecided(target, last));
  const missing = promises.find(isMissing);
  if (missing) throw new UsageError(untold(target, missing, last));
  return [...found];
}

function undecided({ name, take, answer: { allowed, denied } }: Target, last: Answered | Error): string {
  const wanted = `neither allowed (${JSON.stringify(allowed)}) nor denied (${JSON.stringify(denied)})`;
  return `The target ${name} cannot be judged: what it says to ${take.method} ${oneLine(take.path)} is ${wanted}: ${wordsOf(last)}`;
}

function untold({ name, take, answer }: Target, missing: Reportable, last: Answered | Error): string {
  const { source, remaining } = answer;
  const isSource = missing === 'source';
  const [place] = isSource && source ? [source] : remaining;
  const allowed = isSource ? Object.values(source?.words ?? mechanismOf).join(', ') : 'a number from 0';
  const says = place && !(last instanceof Error) ? lookAt(place)(last) : undefined;
  const there = says === undefined ? 'nothing' : oneLine(JSON.stringify(says));
  const where = place && ('header' in place ? `the header ${place.header}` : `the value at ${place.pointer}`);
  return `The target ${name} cannot be judged: its file says that answer.${missing} is ${where}, and of its first answers to ${take.method} ${oneLine(take.path)} none tells it; allowed: ${allowed}. The last says ${there} there: ${wordsOf(last)}`;
}

function wordsOf(last: Answered | Error): string {
  if (last instanceof Error) return whyNone(last);
  const { status, body } = last;
  const text = body();
  const shown = text.length > shownMax ? `${text.slice(0, shownMax)}…` : text;
  return `status ${status}${text === '' ? ' without a body' : ` with the body ${oneLine(shown)}`}`;
}

/** Of a failed `fetch`, which tells its reason as a cause. */
function whyNone(error: Error): string {
  if (error.name === 'TimeoutError') return `no answer within ${answerMsMax / 1000} s`;
  return `no answer: ${error.cause instanceof Error ? error.cause.message : error.message}`;
}

/** A decision may be an answer that leads elsewhere: what is there says nothing of it. */
async function answered(
  url: string,
  { method, path, headers, body }: Take,
  redirect: 'follow' | 'manual',
): Promise<Answered> {
  const signal = AbortSignal.timeout(answerMsMax);
  const its = { method, headers, signal, redirect, ...(body === undefined ? {} : { body }) };
  const response = await fetch(`${url}${path}`, its);
  const text = await response.text();
  return { status: response.status, header: (name) => response.headers.get(name) ?? undefined, body: () => text };
}
