// A look at a target before there is load on it: whether it is ready, and what its answers tell.

import type { Reportable } from '../history.ts';
import { type Answered, holds, readerOf, takeFor } from './answers.ts';
import type { Take, Target } from './target.ts';

const answerMsMax = 2000;
const looks = 3;

/** Whether it is ready, at this address. */
export async function isReady({ ready }: Target, url: string): Promise<boolean> {
  for (const { path, ...condition } of ready) {
    const answer = await answered(url, { method: 'GET', path, headers: {} }).catch(() => undefined);
    if (answer && holds(condition, answer)) return true;
  }
  return false;
}

/** What it says it gives; else what its answers to takes of a key of nobody's give. */
export async function givenBy({ gives, take, answer, breaker }: Target, url: string): Promise<readonly Reportable[]> {
  if (gives) return gives;
  const read = readerOf(answer);
  const found = new Set<Reportable>(breaker ? ['breaker'] : []);
  for (let look = 0; look < looks; look++) {
    const told = await answered(url, takeFor(take, 'first-look')).then(read, () => undefined);
    if (told?.source != null) found.add('source');
    if (told?.remaining != null) found.add('remaining');
  }
  return [...found];
}

async function answered(url: string, { method, path, headers, body }: Take): Promise<Answered> {
  const signal = AbortSignal.timeout(answerMsMax);
  const response = await fetch(`${url}${path}`, { method, headers, signal, ...(body === undefined ? {} : { body }) });
  const text = await response.text();
  return { status: response.status, header: (name) => response.headers.get(name) ?? undefined, body: () => text };
}
