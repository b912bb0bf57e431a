import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Environment } from '../../../chaos/environment.ts';
import { StoreErrorWatch, storeErrorEvents } from '../../../chaos/watch/store-errors.ts';

const series = (instance: string, reason: string, ...values: readonly (readonly [number, number])[]) => ({
  labels: { instance, reason },
  samples: values,
});

describe('failed calls to Redis', () => {
  it('become one event per scrape, of the reasons that there were', () => {
    const scraped = [
      series('limiter-1', 'timeout', [100.25, 0], [101.25, 4]),
      series('limiter-1', 'refused', [100.25, 2], [101.25, 2]),
      series('limiter-2', 'timeout', [100.5, 0]),
    ];
    expect(storeErrorEvents(scraped, 100_000)).toEqual([
      { type: 'store-errors', instance: 'limiter-1', atMs: 250, totals: { refused: 2 } },
      { type: 'store-errors', instance: 'limiter-2', atMs: 500, totals: {} },
      { type: 'store-errors', instance: 'limiter-1', atMs: 1250, totals: { timeout: 4, refused: 2 } },
    ]);
  });

  it('are told once each, of the instances of the run and since its time zero, also after a look that got no answer', async () => {
    const answers = [
      [series('limiter-1', 'timeout', [99, 1], [100, 2]), series('someone-else', 'timeout', [100, 9])],
      undefined,
      [series('limiter-1', 'timeout', [100, 2], [101, 3], [102, 5])],
    ];
    const server = createServer((_request, response) => {
      const result = answers.shift()?.map(({ labels, samples }) => ({
        metric: labels,
        values: samples.map(([atS, value]) => [atS, String(value)]),
      }));
      response.end(result ? JSON.stringify({ status: 'success', data: { result } }) : 'not JSON');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const prometheusUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const environment = { prometheusUrl, instances: [{ name: 'limiter-1' }] } as unknown as Environment;
      const watch = new StoreErrorWatch(environment, { us: 0, epochMs: 100_000 });
      const looks = [await watch.look(), await watch.look(), await watch.look()];
      expect(looks.map((events) => events.map(({ atMs, totals }) => [atMs, totals.timeout]))).toEqual([
        [[0, 2]],
        [],
        [
          [1000, 3],
          [2000, 5],
        ],
      ]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
