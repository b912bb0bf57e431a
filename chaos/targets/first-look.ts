// A look at a target before there is load on it: whether it is ready, and what its answers tell.

import { sleep } from '../clock.ts';
import { UsageError } from '../errors.ts';
import type { Reportable } from '../history.ts';
import { oneLine } from '../printable.ts';
import { type Answered, holds, readerOf, takeFor } from './answers.ts';
import type { Take, Target } from './target.ts';

const answerMsMax = 2000;
const looks = 3;
/** For a decision: a limiter may be ready before it has found its store. */
const decidedMsMax = 5000;
const lookEveryMs = 200;
/** Of a body that says something else. */
const shownMax = 200;

/** Whether it is ready, at this address. */
export async function isReady({ ready }: Target, url: string): Promise<boolean> {
  for (const { path, ...condition } of ready) {
    const answer = await answered(url, { method: 'GET', path, headers: {} }).catch(() => undefined);
    if (answer && holds(condition, answer)) return true;
  }
  return false;
}

/**
 * What it says it gives; else what its answers to takes of a key of nobody's give. Throws a `UsageError` when it is asked and
 * decides none of them: then it is not asked, or not understood, as it wants to be.
 */
export async function givenBy(target: Target, url: string): Promise<readonly Reportable[]> {
  const { gives, take, answer, breaker } = target;
  if (gives) return gives;
  const read = readerOf(answer);
  const found = new Set<Reportable>(breaker ? ['breaker'] : []);
  const endMs = performance.now() + decidedMsMax;
  let isDecided = false;
  let last = '';
  for (let look = 0; look < looks || (!isDecided && performance.now() < endMs); look++) {
    if (look >= looks) await sleep(lookEveryMs);
    const seen = await answered(url, takeFor(take, 'first-look')).catch((error: Error) => error);
    last = seen instanceof Error ? whyNone(seen) : wordsOf(seen);
    if (seen instanceof Error) continue;
    const told = read(seen);
    isDecided ||= told.outcome !== 'failed';
    if (told.source != null) found.add('source');
    if (told.remaining != null) found.add('remaining');
  }
  if (!isDecided) throw new UsageError(undecided(target, last));
  return [...found];
}

function undecided({ name, take, answer: { allowed, denied } }: Target, last: string): string {
  const wanted = `neither allowed (${JSON.stringify(allowed)}) nor denied (${JSON.stringify(denied)})`;
  return `The target ${name} cannot be judged: what it says to ${take.method} ${oneLine(take.path)} is ${wanted}: ${last}`;
}

function wordsOf({ status, body }: Answered): string {
  const text = body();
  const shown = text.length > shownMax ? `${text.slice(0, shownMax)}…` : text;
  return `status ${status}${text === '' ? ' without a body' : ` with the body ${oneLine(shown)}`}`;
}

/** Of a failed `fetch`, which tells its reason as a cause. */
function whyNone(error: Error): string {
  if (error.name === 'TimeoutError') return `no answer within ${answerMsMax / 1000} s`;
  return `no answer: ${error.cause instanceof Error ? error.cause.message : error.message}`;
}

async function answered(url: string, { method, path, headers, body }: Take): Promise<Answered> {
  const signal = AbortSignal.timeout(answerMsMax);
  const response = await fetch(`${url}${path}`, { method, headers, signal, ...(body === undefined ? {} : { body }) });
  const text = await response.text();
  return { status: response.status, header: (name) => response.headers.get(name) ?? undefined, body: () => text };
}
