// A client that asks the service over and over and notes how it was answered: slow enough to leave the machine alone,
// dense enough to see a gap.

import { setTimeout as sleep } from 'node:timers/promises';

export interface Answer {
  readonly key: string;
  readonly status: number;
  readonly mechanism: string | null;
  /** When it was asked, by performance.now(). */
  readonly sentMs: number;
  readonly ms: number;
}

export interface RequestLoop extends AsyncDisposable {
  /** Everything so far. */
  readonly answers: readonly Answer[];
  /** Each key's newest answer. */
  newest(): ReadonlyMap<string, Answer>;
  /** Resolves with all answers when the last has come. */
  stop(): Promise<readonly Answer[]>;
}

/** The service names its key header so. */
export const keyHeader = 'X-Api-Key';

export async function ask(url: string, key: string): Promise<Answer> {
  const sentMs = performance.now();
  const response = await fetch(url, { headers: { [keyHeader]: key } });
  const ms = performance.now() - sentMs;
  await response.arrayBuffer();
  return { key, status: response.status, mechanism: response.headers.get('x-ratelimit-mechanism'), sentMs, ms };
}

/** Asks for one key after the other, round and round, one every `everyMs`, whether or not the last was answered. */
export function startRequestLoop(url: string, keys: readonly string[], everyMs = 5): RequestLoop {
  const answers: Answer[] = [];
  const newest = new Map<string, Answer>();
  let going = true;
  const all = (async () => {
    const pending: Promise<unknown>[] = [];
    for (let i = 0; going; i++) {
      const one = ask(url, keys[i % keys.length] as string).then((answer) => {
        answers.push(answer);
        newest.set(answer.key, answer);
      });
      one.catch(() => {}); // thrown by all() below
      pending.push(one);
      await sleep(everyMs);
    }
    await Promise.all(pending);
  })();
  all.catch(() => {}); // seen by whoever stops it
  const stop = async () => {
    going = false;
    await all;
    return answers;
  };
  return {
    answers,
    newest: () => newest,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}

/**
 * Who waited for what is dead waited until its connection was given up, for 2 s; and all others only for the machine, which
 * may be busy, so that nothing less can be told from it.
 */
export const waitMsMax = 1500;

export function slowestMs(answers: readonly Answer[]): number {
  return Math.max(...answers.map(({ ms }) => ms));
}
