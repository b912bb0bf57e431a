// One clock for all of the lab's processes: the machine's monotonic one, so that instants compare across processes.

/** Microseconds since some moment in the past; never goes back. */
export function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The promise, or a rejection with `error()` after `ms`. */
export async function within<T>(ms: number, promise: Promise<T>, error: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(error()), ms);
  });
  try {
    return await Promise.race([promise, expiry]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks again every `everyMs` until the answer is not undefined; undefined once `ms` have gone by. */
export async function until<T>(ms: number, everyMs: number, ask: () => Promise<T | undefined>): Promise<T | undefined> {
  const endUs = monotonicUs() + ms * 1000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined || monotonicUs() >= endUs) return answer;
    await sleep(everyMs);
  }
}

/** Again and again until it is disposed of. */
export function every(ms: number, act: () => unknown): Disposable {
  const timer = setInterval(act, ms);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
