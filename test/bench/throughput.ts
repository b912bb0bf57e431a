// Saturation throughput: autocannon, closed loop, in this process.

import autocannon from 'autocannon';

export interface Throughput {
  readonly requestsPerSecond: number;
  /** Share of answers that were 2xx. */
  readonly allowed: number;
}

const connections = 100;

/** Loads `url` for `seconds` with `keys` keys, each connection with a part of its own. */
export async function throughputOf(url: string, keyHeader: string, keys: number, seconds: number): Promise<Throughput> {
  let client = 0;
  const perClient = Math.max(1, Math.floor(keys / connections));
  const result = await autocannon({
    url,
    connections,
    duration: seconds,
    setupClient(it) {
      const first = (client++ * perClient) % keys;
      it.setRequests(
        Array.from({ length: perClient }, (_, i) => ({ headers: { [keyHeader]: `k${(first + i) % keys}` } })),
      );
    },
  });
  const answered = result['2xx'] + result.non2xx;
  if (result.errors > 0 || result['5xx'] > 0) {
    throw new Error(`${url}: ${result.errors} errors and ${result['5xx']} answers 5xx under load`);
  }
  return { requestsPerSecond: answered / result.duration, allowed: result['2xx'] / answered };
}
