// Recorded runs of the lab, lived through again: the simulation must show the figures that the machine did.

import { expect, it } from 'vitest';
import { recordedRuns, replayed } from '../../support/replay.ts';

/** Of an instance that was killed the lab's clients hear nothing, and those of the simulation turn to the other. */
const lostToClients = ['instance-kill'];
/** Requests at the edges of a phase, which the lab dates by a clock of its own. */
const edgeRequests = 3;
/** Of the requests: answers that a busy machine left to the fallback were allowed or refused by another bucket. */
const noiseShare = 0.06;
/** Of the time until Redis decides again. Breakers draw their waits, of 1 s ± 0.2 s; and one of them may just have begun. */
const backMs = 1500;

it('has eight of them', () => {
  expect(recordedRuns).toHaveLength(8);
});

it.each(recordedRuns)('goes as it went: $scenario', async (run) => {
  const { phases, recoveryMs } = await replayed(run);
  for (const [i, { phase, requests, byStore, allowed }] of run.phases.entries()) {
    const again = phases[i] as (typeof phases)[number];
    expect(Math.abs(again.requests - requests), `requests, ${phase}`).toBeLessThanOrEqual(edgeRequests);
    if (lostToClients.includes(run.scenario)) continue;
    expect(Math.abs(again.allowed - allowed), `allowed, ${phase}`).toBeLessThanOrEqual(noiseShare);
    if (phase === 'fault') expect([again.byStore, byStore]).toEqual([0, 0]);
    if (phase === 'onset') expect(again.openings).toBe(2);
  }
  if (!lostToClients.includes(run.scenario)) expect(Math.abs(recoveryMs - run.recoveryMs)).toBeLessThanOrEqual(backMs);
});
