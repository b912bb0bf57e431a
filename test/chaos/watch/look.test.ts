import { expect, it } from 'vitest';
import type { Environment, Instance } from '../../../chaos/environment.ts';
import { probeLinks } from '../../../chaos/watch/observer.ts';

/** What the lab sees of a fault of 2 ms, and how often it looks, when its looks take these milliseconds. */
async function seenWith(...takenMs: number[]) {
  let looks = 0;
  const fault = {
    look: async () => ({ outcome: 'pong' as const, ms: takenMs[looks++] ?? Number.NaN, reply: '+PONG' }),
    probe: undefined,
    lookMs: undefined,
    looks: undefined,
    bites: ({ ms }: { ms: number }) => ms >= 2,
  };
  const instance = { name: 'limiter-control', control: true } as Instance;
  const environment = { instances: [instance] } as unknown as Environment;
  const [probe] = await probeLinks(environment, fault, [], 'healthy', { us: 0, epochMs: 0 });
  return { seen: probe?.seen, looks };
}

it('takes a link that answers slowly by chance for healthy, though all but its last answers were slow', async () => {
  expect(await seenWith(5, 5, 5, 5, 5, 5, 5, 1)).toEqual({ seen: 'healthy', looks: 8 });
});

it('takes a link that answers slowly eight times for broken', async () => {
  expect(await seenWith(2, 3, 3, 4, 3, 3, 5, 9)).toEqual({ seen: 'broken', looks: 8 });
});

it('looks three times at a link that answers quickly', async () => {
  expect(await seenWith(1, 5, 1)).toEqual({ seen: 'healthy', looks: 3 });
});
