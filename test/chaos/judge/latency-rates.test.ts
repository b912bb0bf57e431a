// How often the latency check is wrong, on recorded latencies: never where it says fail, seldom where it says pass.

import { describe, expect, it } from 'vitest';
import { harmsMs, machines, ratesOn, runsOfEach } from '../../support/latency-rates.ts';

/** What a bound of 95 % may get wrong. */
const wrongMax = 0.05 * runsOfEach;

describe.each(machines)('on a machine that is $name, the latency check', ({ rates, ...machine }) => {
  it('is right as often as the documents say', () => {
    expect(ratesOn({ ...machine, rates })).toEqual(rates);
  });

  it('never fails a sound limiter', () => {
    expect([rates.onset, rates.fault].map(([sound]) => sound?.[2])).toEqual([0, 0]);
  });

  it.each(harmsMs.flatMap((harmMs, i) => (harmMs ? [[harmMs, i] as const] : [])))(
    'passes a limiter that is %i ms over the limit in at most one of twenty runs',
    (_, i) => {
      for (const counts of [rates.onset[i], rates.fault[i]]) expect(counts?.[0]).toBeLessThanOrEqual(wrongMax);
    },
  );
});
