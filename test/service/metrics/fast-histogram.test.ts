import { Histogram, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { FastHistogram } from '../../../service/metrics/fast-histogram.ts';
import { type MetricsSnapshot, pageOf } from '../../../service/metrics/metrics.ts';

const options = { name: 'took_seconds', help: 'Time that it took.', buckets: [0.001, 0.009, 0.5] };

/** The same observations by prom-client's histogram and by ours, each on a registry of its own. */
function bothOf(values: readonly number[]): { theirs: Registry; ours: Registry } {
  const theirs = new Registry();
  const ours = new Registry();
  const their = new Histogram({ ...options, registers: [theirs] });
  const our = new FastHistogram({ ...options, registry: ours });
  for (const value of values) {
    their.observe(value);
    our.observe(value);
  }
  return { theirs, ours };
}

const workloads: Record<string, number[]> = {
  'nothing yet': [],
  'each edge, and next to it': options.buckets.flatMap((edge) => [edge * (1 - 1e-9), edge, edge * (1 + 1e-9)]),
  'zero and far beyond the last edge': [0, 1e9, 3],
  'many of all sizes': Array.from({ length: 1000 }, (_, i) => 1 / (1 + ((i * 7919) % 1009))),
};

describe.each(Object.entries(workloads))('a fast histogram of %s', (_, values) => {
  it("has the page of prom-client's", async () => {
    const { theirs, ours } = bothOf(values);
    expect(await ours.metrics()).toBe(await theirs.metrics());
    expect(await ours.metrics()).toContain(`took_seconds_bucket{le="+Inf"} ${values.length}\n`);
  });

  it("is summed over processes as prom-client's are", async () => {
    const { theirs, ours } = bothOf(values);
    const snapshot = async (registry: Registry): Promise<MetricsSnapshot> =>
      structuredClone(await registry.getMetricsAsJSON()); // as a message to another process
    const [their, our] = [await snapshot(theirs), await snapshot(ours)];
    expect(await pageOf([our, our, our])).toBe(await pageOf([their, their, their]));
  });
});

it('tells the same at each look, and more only after more', async () => {
  const { ours } = bothOf([0.002]);
  const first = await ours.metrics();
  expect(await ours.metrics()).toBe(first);
  expect(first).toContain('took_seconds_count 1\n');
});

it('does not take a name that the registry has', () => {
  const registry = new Registry();
  new FastHistogram({ ...options, registry });
  expect(() => new FastHistogram({ ...options, registry })).toThrow('took_seconds has already been registered');
});
