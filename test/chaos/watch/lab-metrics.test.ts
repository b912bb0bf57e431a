import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import type { HistoryEvent, SourceKind } from '../../../chaos/history.ts';
import { LabMetrics } from '../../../chaos/watch/lab-metrics.ts';
import { placement } from '../../support/failover-history.ts';
import { buildHistory } from '../../support/history-builder.ts';
import { answer, fault } from '../../support/history-events.ts';

/** The series of the page after these events, by name with labels but for the scenario’s, which all have. */
async function seriesAfter(events: readonly HistoryEvent[]): Promise<ReadonlyMap<string, number>> {
  await using metrics = new LabMetrics('partition');
  const port = await metrics.listen('127.0.0.1');
  for (const event of events) metrics.record(event);
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; ?version=0\.0\.4/);
  const lines = (await response.text()).split('\n').filter((line) => /^\w/.test(line));
  return new Map(
    lines.map((line) => {
      expect(line).toContain('scenario="partition"');
      const [, name = '', value] = /^(.*) (\S+)$/.exec(line) ?? [];
      return [
        name
          .replace(/,?scenario="partition"/, '')
          .replace('{,', '{')
          .replace('{}', ''),
        Number(value),
      ] as const;
    }),
  );
}

const { run } = buildHistory();

describe('the metrics of the lab', () => {
  it('have every label set of a run from its start, at 0', async () => {
    const series = await seriesAfter([run]);
    const own = [...series].filter(([name]) => !name.startsWith('chaos_request_latency'));
    const answers = (arm: string, limiter: string) => [
      [`chaos_answers_total{arm="${arm}",limiter="${limiter}",mechanism="redis",status="200"}`, 0],
      [`chaos_answers_total{arm="${arm}",limiter="${limiter}",mechanism="redis",status="429"}`, 0],
      [`chaos_answers_total{arm="${arm}",limiter="${limiter}",mechanism="fallback",status="200"}`, 0],
      [`chaos_answers_total{arm="${arm}",limiter="${limiter}",mechanism="fallback",status="429"}`, 0],
      [`chaos_answers_total{arm="${arm}",limiter="${limiter}",mechanism="none",status="0"}`, 0],
    ];
    expect(Object.fromEntries(own)).toEqual({
      ...Object.fromEntries(answers('faulted', 'limiter-1')),
      ...Object.fromEntries(answers('faulted', 'limiter-2')),
      ...Object.fromEntries(answers('control', 'limiter-control')),
      'chaos_phase{phase="warm-up"}': 1,
      'chaos_phase{phase="baseline"}': 0,
      'chaos_phase{phase="onset"}': 0,
      'chaos_phase{phase="fault"}': 0,
      'chaos_phase{phase="heal"}': 0,
      'chaos_phase{phase="recovered"}': 0,
      'chaos_phase{phase="end"}': 0,
      'chaos_fault_active{fault="partition",link="limiter-1-store"}': 0,
      'chaos_fault_active{fault="partition",link="limiter-2-store"}': 0,
      'chaos_hot_key_admitted_total{mechanism="redis"}': 0,
      'chaos_hot_key_admitted_total{mechanism="fallback"}': 0,
      chaos_hot_key_bound: 0,
    });
    expect([...series.keys()]).toContain('chaos_request_latency_seconds_bucket{le="0.009",arm="faulted"}');
  });

  it('follow the phase and the fault', async () => {
    const series = await seriesAfter([run, { type: 'phase', phase: 'onset', atMs: 1 }, fault('inject', 1)]);
    expect([
      series.get('chaos_phase{phase="warm-up"}'),
      series.get('chaos_phase{phase="onset"}'),
      series.get('chaos_fault_active{fault="partition",link="limiter-1-store"}'),
    ]).toEqual([0, 1, 1]);
  });

  it('tell an unanswered request from a fast one', async () => {
    const lost = { ...answer(5), status: 0, source: null, error: 'reset' };
    const series = await seriesAfter([run, lost]);
    expect([
      series.get('chaos_answers_total{arm="faulted",limiter="limiter-1",mechanism="none",status="0"}'),
      series.get('chaos_request_latency_seconds_bucket{le="2.5",arm="faulted"}'),
      series.get('chaos_request_latency_seconds_count{arm="faulted"}'),
      series.get('chaos_request_latency_seconds_sum{arm="faulted"}'),
    ]).toEqual([1, 0, 1, 10]);
  });

  it('hold the most popular key against what Redis and the fallbacks may admit', async () => {
    const by = (instance: string, ms: number, source: SourceKind, key = 'k0'): HistoryEvent => ({
      ...answer(ms, { instance, key, source, latencyMs: 0 }),
    });
    const series = await seriesAfter([
      run,
      by('limiter-1', 0, 'shared'),
      by('limiter-2', 1000, 'shared'),
      by('limiter-1', 2000, 'local'),
      by('limiter-1', 5000, 'local'),
      by('limiter-control', 0, 'shared'),
      by('limiter-1', 0, 'shared', 'k1'),
    ]);
    expect([
      series.get('chaos_hot_key_admitted_total{mechanism="redis"}'),
      series.get('chaos_hot_key_admitted_total{mechanism="fallback"}'),
      series.get('chaos_hot_key_bound'),
    ]).toEqual([2, 2, expect.closeTo(10 + 2 * 1 + 5 + 1 * 3, 2)]); // and what clocks may drift
  });

  it('have room for a new bucket when Redis has lost its data', async () => {
    const one = answer(0, { latencyMs: 0 });
    const series = await seriesAfter([run, one, fault('inject', 1, { state: 'lost' })]);
    expect(series.get('chaos_hot_key_bound')).toBe(20);
  });

  it('take one loss for one, though it is told of each instance that it hits', async () => {
    const one = answer(0, { latencyMs: 0 });
    const kill = (target: string) => fault('inject', 1, { target, state: 'lost' });
    const series = await seriesAfter([run, one, kill('limiter-1'), kill('limiter-2')]);
    expect(series.get('chaos_hot_key_bound')).toBe(20);
  });

  it('have that room only where the master that was lost may have held the key', async () => {
    const one = answer(0, { latencyMs: 0 });
    const kill = fault('inject', 1, { state: 'perhaps-lost' });
    const boundAfter = async (victim: string) =>
      (await seriesAfter([run, one, { ...placement, victim }, kill])).get('chaos_hot_key_bound');
    expect([await boundAfter('a:1'), await boundAfter('a:2')]).toEqual([20, 10]);
  });

  it('tell when they are asked for, and when nobody asks', async () => {
    await using metrics = new LabMetrics('partition');
    const port = await metrics.listen('127.0.0.1');
    const asked = metrics.scraped(5000);
    await (await fetch(`http://127.0.0.1:${port}`)).text();
    expect([await asked, await metrics.scraped(50)]).toEqual([true, false]);
  });

  it('are on the address that is named, and on no other of this machine', async () => {
    await using metrics = new LabMetrics('partition');
    const port = await metrics.listen('127.0.0.1');
    const others = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ family, address }) => family === 'IPv4' && address !== '127.0.0.1')
      .map(({ address }) => address);
    const isThere = (host: string) => fetch(`http://${host}:${port}`).then(Boolean, () => false);
    expect([await isThere('127.0.0.1'), await isThere('127.0.0.2')]).toEqual([true, false]);
    expect(await Promise.all(others.map(isThere))).toEqual(others.map(() => false));
  });

  it('may never have been asked for, or even served, when a run ends, which nobody waits for any longer', async () => {
    const metrics = new LabMetrics('partition');
    const asked = metrics.scraped(60_000);
    await metrics[Symbol.asyncDispose]();
    expect(await asked).toBe(false);
  });
});
