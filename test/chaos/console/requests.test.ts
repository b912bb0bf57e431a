import { describe, expect, it } from 'vitest';
import { manualRequest, runRequest, switchRequest } from '../../../chaos/console/requests.ts';

const good = { scenario: 'partition', driver: 'auto', seed: 1, rate: 1000 };
const run = (body: unknown) => runRequest(body, ['baseline', 'partition'], ['auto', 'native']);
const rows = [{ link: 'limiter-1', faults: ['partition', 'stall'] as const }];

describe('a request for a run', () => {
  it('is taken as it is', () => {
    expect(run(good)).toEqual(good);
    expect(manualRequest(good, ['auto'])).toEqual({ ...good, scenario: 'manual' });
  });

  it.each([
    ['x', 'The body is "x"; allowed: an object in JSON.'],
    [[], 'The body is []; allowed: an object in JSON.'],
    [null, 'The body is null; allowed: an object in JSON.'],
    [{ ...good, seed: 1.5 }, 'seed is 1.5; allowed: a whole number from 0 to 2147483647.'],
    [{ ...good, scenario: ['baseline'] }, 'scenario is ["baseline"]; allowed: baseline, partition.'],
    [{ ...good, scenario: 'earthquake' }, 'scenario is "earthquake"; allowed: baseline, partition.'],
    [{ ...good, driver: undefined }, 'driver is missing; allowed: auto, native.'],
    [{ ...good, seed: -1 }, 'seed is -1; allowed: a whole number from 0 to 2147483647.'],
    [{ ...good, rate: '1000' }, 'rate is "1000"; allowed: a whole number from 1 to 20000.'],
  ])('that is wrong is told what is allowed: %j', (body, message) => {
    expect(() => run(body)).toThrow(message);
  });
});

describe('a request to switch', () => {
  it('names a link, a fault that it can have, and after how long it heals itself', () => {
    const body = { link: 'limiter-1', fault: 'stall', seconds: 5 };
    expect(switchRequest(body, rows)).toEqual(body);
    expect(switchRequest({ link: 'limiter-1', fault: null }, rows)).toEqual({
      link: 'limiter-1',
      fault: null,
      seconds: 0,
    });
    expect(() => switchRequest({ ...body, fault: 'redis-kill' }, rows)).toThrow(
      'fault is "redis-kill"; allowed: partition, stall, null.',
    );
    expect(() => switchRequest({ ...body, seconds: 61 }, rows)).toThrow(
      'seconds is 61; allowed: a whole number from 1 to 60.',
    );
  });
});
