import { expect, it } from 'vitest';
import type { Decision, Mechanism } from '../../../service/core/store.ts';
import { Metrics } from '../../../service/metrics/metrics.ts';

const decision = (mechanism: Mechanism, allowed: boolean): Decision => ({
  allowed,
  limit: 5,
  remaining: 0,
  retryAfterMs: allowed ? 0 : 1000,
  resetMs: 1000,
  mechanism,
  quota: { name: 'default', capacity: 5, windowMs: 10_000 },
});

it('goes on counting decisions over any number of scrapes, on the page and in the snapshot alike', async () => {
  const metrics = new Metrics({
    policies: { all: [], shadow: [] },
    fallbackKeys: () => 0,
    breakerStates: () => ['closed'],
    logLinesDropped: () => 0,
  });
  const reported = async () => {
    const page = await metrics.page();
    const counts = (await metrics.counts()).find(({ name }) => name === 'rate_limit_requests_total')?.values ?? [];
    const onPage = counts.map(({ labels: { mechanism, status } }) =>
      Number(page.match(`rate_limit_requests_total{mechanism="${mechanism}",status="${status}"} (.*)`)?.[1]),
    );
    expect(onPage).toEqual(counts.map(({ value }) => value));
    return Object.fromEntries(counts.map(({ labels, value }) => [`${labels.mechanism} ${labels.status}`, value]));
  };

  for (let round = 1; round <= 3; round++) {
    metrics.engine.decided(decision('redis', true), 0.001);
    metrics.engine.decided(decision('redis', true), 0.001);
    metrics.engine.decided(decision('fallback', false), 0.001);
    const expected = {
      'redis allowed': 2 * round,
      'redis blocked': 0,
      'fallback allowed': 0,
      'fallback blocked': round,
      'open allowed': 0,
      'closed blocked': 0,
    };
    expect(await reported()).toEqual(expected);
    expect(await reported()).toEqual(expected);
  }
});

it('counts nothing of what was tried out for a decision that was under way when it ended', async () => {
  const metrics = new Metrics({
    policies: { all: ['search'], shadow: ['search'] },
    fallbackKeys: () => 0,
    breakerStates: () => ['closed'],
    logLinesDropped: () => 0,
  });
  const blocked = async () =>
    /^rate_limit_shadow_requests_total\{policy="search",status="blocked"\} (.*)$/m.exec(await metrics.page())?.[1];
  metrics.policies.shadowDecided('search', decision('redis', false));
  expect(await blocked()).toBe('1');
  metrics.policies.names = { all: ['search'], shadow: [] };
  metrics.policies.shadowDecided('search', decision('redis', false));
  expect(await blocked()).toBe(undefined);
});
