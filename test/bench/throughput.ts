// Saturation throughput: autocannon, closed loop, in this process.

import autocannon from 'autocannon';

export interface Throughput {
  /** Requests. */
  readonly answered: number;
  readonly requestsPerSecond: number;
  /** Share of answers that were 2xx. */
  readonly allowed: number;
}

const connections = 100;

export interface ClosedLoad {
  readonly url: string;
  readonly keys: number;
  /** What one connection sends for its keys, again and again. */
  readonly requestsFor: (keys: readonly string[]) => autocannon.Request[];
  readonly seconds: number;
}

/** A request for each key, which a header carries. */
export const keyInHeader = (name: string) => (keys: readonly string[]) =>
  keys.map((key): autocannon.Request => ({ headers: { [name]: key } }));

/** Each connection has a part of the keys for its own. */
export async function throughputOf(
  { url, keys, requestsFor, seconds }: ClosedLoad,
  signal: AbortSignal,
): Promise<Throughput> {
  signal.throwIfAborted();
  let client = 0;
  const perClient = Math.max(1, Math.floor(keys / connections));
  const ended = Promise.withResolvers<autocannon.Result>();
  const options: autocannon.Options = {
    url,
    connections,
    duration: seconds,
    setupClient(it) {
      const first = (client++ * perClient) % keys;
      it.setRequests(requestsFor(Array.from({ length: perClient }, (_, i) => `k${(first + i) % keys}`)));
    },
  };
  const load = autocannon(options, (error, result) => (error ? ended.reject(error) : ended.resolve(result)));
  const stop = () => load.stop();
  signal.addEventListener('abort', stop);
  const result = await ended.promise;
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  const answered = result['2xx'] + result.non2xx;
  if (result.errors > 0 || result['5xx'] > 0) {
    throw new Error(`${url}: ${result.errors} errors and ${result['5xx']} answers 5xx under load`);
  }
  return { answered, requestsPerSecond: answered / result.duration, allowed: result['2xx'] / answered };
}
