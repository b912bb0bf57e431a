// Whole limiters over a simulated Redis, under random interleavings of takes and trouble on a fake clock. Who judges is
// the lab's own judge, by what clients saw, and beside it what only a simulation can know: when each token was taken.

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { admission } from '../../../chaos/checks/admission.ts';
import { breaker } from '../../../chaos/checks/breaker.ts';
import { type Check, runChecks } from '../../../chaos/checks/check.ts';
import { fleet as fleetBound } from '../../../chaos/checks/fleet.ts';
import { needlessRefusal } from '../../../chaos/checks/needless-refusal.ts';
import { remaining } from '../../../chaos/checks/remaining.ts';
import { RedisStore } from '../../../service/redis/store.ts';
import { fakeTime, nowUs, pass } from '../../support/fake-time.ts';
import { instanceCount, SimulatedFleet, timeoutMs } from '../../support/simulated-fleet.ts';
import { type LinkState, SimulatedLink, SimulatedRedis } from '../../support/simulated-redis.ts';
import { limitOf, takesOf } from '../../support/takes.ts';

/** Bounds 1 to 5 of the design. */
const bounds: readonly Check[] = [admission, fleetBound, needlessRefusal, remaining, breaker];

let time: Disposable;
beforeEach(() => {
  time = fakeTime();
});
afterEach(() => time[Symbol.dispose]());

const keys = ['a', 'b', 'c'];

const legMs = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(1, 2) },
  { weight: 1, arbitrary: fc.constantFrom(3, 4, 5, 6, 50, 1500) },
);
const linkState: fc.Arbitrary<LinkState> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('up' as const), thereMs: legMs, backMs: legMs }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drops replies' as const), thereMs: legMs, backMs: legMs }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('drops requests' as const, 'refuses' as const, 'holds' as const) }),
  },
);
const member = fc.nat({ max: instanceCount - 1 });
const step = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('take' as const),
      member,
      key: fc.constantFrom(...keys, 'a'),
      times: fc.constantFrom(1, 1, 2, 12),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 2, 3, 5, 20, 300, 1200, 4000) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('link' as const), member, state: linkState }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('disconnect' as const), member }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('connect' as const), member }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose state' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A batch may be put off by a turn of the loop, and a deadline that has fired lets one go by: 1 ms each on the fake clock. */
const answerMsMax = timeoutMs + 2;

/** All that happened; every link is up again at the end, and every take answered. */
async function live(keysMax: number, steps: readonly Step[]): Promise<SimulatedFleet> {
  const fleet = await SimulatedFleet.start(keysMax);
  for (const it of steps) {
    if (it.do === 'wait') await pass(it.ms);
    else if (it.do === 'lose state') fleet.loseState();
    else {
      const chosen = fleet.members[it.member];
      if (it.do === 'take') for (let n = 0; n < it.times; n++) chosen?.take(it.key);
      else if (it.do === 'link' && chosen) chosen.link.state = it.state;
      else if (it.do === 'disconnect') chosen?.disconnect();
      else if (it.do === 'connect') chosen?.connect();
    }
  }
  for (const { link } of fleet.members) link.state = { kind: 'up', thereMs: 1, backMs: 1 };
  await pass(4000);
  for (const { take } of fleet.members) for (const key of keys) take(key);
  await pass(2 * timeoutMs);
  return fleet;
}

describe('two limiters that share a Redis, whatever the network does and in whatever order', () => {
  const interleavings = fc.tuple(fc.constantFrom(1, 2, 100), fc.array(step, { maxLength: 70, size: 'max' }));

  it('keep every bound that the judge checks, and answer each take within the deadline', async () => {
    let takes = 0;
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(interleavings, async ([keysMax, steps]) => {
        using fleet = await live(keysMax, steps);
        const history = fleet.history();
        takes += history.answers.length;
        for (const { status, source } of history.answers) seen.add(`${source} ${status}`);
        for (const { from, to } of history.breaker) seen.add(`${from} to ${to}`);
        // Past the cap a key may lose what Redis said of it, and then has more left than it was told.
        const judged = keysMax < keys.length ? bounds.filter((check) => check !== remaining) : bounds;
        expect(runChecks(judged, history).filter(({ verdict }) => verdict === 'fail')).toEqual([]);
        const late = history.answers.filter(({ sentMs, receivedMs }) => receivedMs - sentMs > answerMsMax + 1e-6);
        expect(late).toEqual([]);
      }),
      { numRuns: 1000 },
    );
    // A property over what never happens would prove nothing.
    expect(takes).toBeGreaterThan(10_000);
    expect([...seen].sort()).toEqual(
      [
        ...['shared 200', 'shared 429', 'local 200', 'local 429'],
        ...['closed to open', 'open to half-open', 'half-open to open', 'half-open to closed'],
      ].sort(),
    );
  });

  it('take no token for a request that was answered before', async () => {
    let late = 0;
    await fc.assert(
      fc.asyncProperty(interleavings, async ([keysMax, steps]) => {
        using fleet = await live(keysMax, steps);
        const ghosts = fleet.redis.commits.filter(({ sentUs, atUs }) => atUs - sentUs > timeoutMs * 1000 + 1);
        expect(ghosts).toEqual([]);
        late += fleet.redis.lateScripts;
      }),
      { numRuns: 500 },
    );
    expect(late).toBeGreaterThan(100);
  });
});

describe("a jump of Redis's clock", () => {
  const take = [takesOf(limitOf(1000, 0.001))('a')];

  /** The mechanisms that decide one batch after another, the clock jumping before the third. */
  async function batchesAround(jumpUs: number) {
    const redis = new SimulatedRedis(nowUs);
    const store = new RedisStore({ client: new SimulatedLink(redis, nowUs), timeoutMs, nowUs });
    store.connected();
    await pass(timeoutMs);
    const decided: boolean[] = [];
    for (let i = 0; i < 6; i++) {
      if (i === 2) redis.clockAheadUs += jumpUs;
      store.decideMany(take).then(
        () => decided.push(true),
        () => decided.push(false),
      );
      await pass(2 * timeoutMs);
    }
    return { decided, redis };
  }

  it.each([
    ['an hour ahead', 3_600_000_000],
    ['100 ms ahead', 100_000],
    ['an hour back', -3_600_000_000],
    ['100 ms back', -100_000],
  ])('of %s costs at most one batch', async (_, jumpUs) => {
    const { decided } = await batchesAround(jumpUs);
    expect(decided.filter((it) => !it).length).toBeLessThanOrEqual(1);
    expect([decided.length, decided.slice(0, 2), decided.slice(3)]).toEqual([6, [true, true], [true, true, true]]);
  });

  it.each([
    ['ahead', 3_600_000_000],
    ['back', -3_600_000_000],
  ])('by an hour %s leaves the next script but one refused when it is late', async (_, jumpUs) => {
    const redis = new SimulatedRedis(nowUs);
    const link = new SimulatedLink(redis, nowUs);
    const store = new RedisStore({ client: link, timeoutMs, nowUs });
    store.connected();
    await pass(timeoutMs);
    redis.clockAheadUs += jumpUs;
    store.decideMany(take).catch(() => {});
    await pass(2 * timeoutMs);
    const before = redis.commits.length;
    link.state = { kind: 'holds' };
    store.decideMany(take).catch(() => {});
    await pass(2 * timeoutMs);
    link.state = { kind: 'up', thereMs: 1, backMs: 1 };
    await pass(2 * timeoutMs);
    expect([redis.commits.length, redis.lateScripts]).toEqual([before, jumpUs > 0 ? 2 : 1]);
  });

  it.each([
    ['30 s', 30_000_000],
    ['a day', 86_400_000_000],
  ])(
    'back by %s costs an empty bucket what it had refilled and no more, with an outage or without',
    async (_, jumpUs) => {
      using fleet = await SimulatedFleet.start(100);
      const { answers, members, redis } = fleet;
      const takeFor = async (ms: number) => {
        const from = answers.length;
        for (let i = 0; i < ms / 100; i++) {
          members[i % members.length]?.take('a');
          await pass(100);
        }
        const allowed = answers.slice(from).filter(({ status }) => status === 200);
        return [...new Set(allowed.map(({ source }) => source)), allowed.length];
      };
      const before = await takeFor(10_000);
      redis.clockAheadUs -= jumpUs;
      const after = await takeFor(10_000);
      for (const { link } of members) link.state = { kind: 'refuses' };
      const outage = await takeFor(10_000);
      for (const { link } of members) link.state = { kind: 'up', thereMs: 1, backMs: 1 };
      redis.clockAheadUs -= jumpUs;
      await takeFor(2000); // until the breakers' probes
      const again = await takeFor(10_000);
      // 10 at once and 2 a second; a jump costs what had refilled, less than a token.
      expect({ before, after, outage, again }).toEqual({
        before: ['shared', 29],
        after: ['shared', 19],
        outage: ['local', 21],
        again: ['shared', 20],
      });
    },
  );
});
