// Bound 10: a probe of its own saw the fault through the same link, and saw it gone after the heal. A run whose fault did
// not bite proves nothing, so anything else is unknown, never pass and never fail.

import { type History, isControl } from '../history.ts';
import type { Check, CheckResult, Verdict } from './check.ts';
import { isInstanceHit } from './windows.ts';

export const faultBit: Check = {
  name: 'fault-bit',
  property: 'a PING of the lab’s own through each store link saw the fault, and saw it gone',
  needs: ['schedule'],
  judge(history: History): CheckResult[] {
    const state = (verdict: Verdict, measured: number, detail: string): CheckResult[] => [
      { name: 'fault-bit', phase: 'fault', verdict, measured, limit: links.length, unit: 'links', detail },
    ];
    const links = linksHit(history);
    const bitten = links.filter((name) => sees(history, name, 'broken'));
    const healed = links.filter((name) => sees(history, name, 'healthy'));
    const hit = history.probes.find(({ instance, seen }) => isControl(history, instance) && seen === 'broken');
    if (bitten.length < links.length) {
      return state(
        'unknown',
        bitten.length,
        `not seen on ${links.filter((name) => !bitten.includes(name)).join(', ')}`,
      );
    }
    if (healed.length < links.length) {
      return state('unknown', bitten.length, `not seen gone on ${links.filter((n) => !healed.includes(n)).join(', ')}`);
    }
    if (hit) return state('unknown', bitten.length, `the control arm was hit as well: ${hit.detail}`);
    return state('pass', bitten.length, 'seen on every store link, and seen gone');
  },
};

/** The instances whose way to the store a fault of the run is on. */
function linksHit(history: History): string[] {
  const faulted = history.run.instances.filter(({ control }) => !control);
  return faulted.map(({ name }) => name).filter((name) => isInstanceHit(history, name));
}

/** Whether the fault was seen; without that nothing may be concluded from what the limiter did meanwhile. */
export function bit(history: History): boolean {
  return linksHit(history).every((name) => sees(history, name, 'broken'));
}

/** The last probe that expected this state saw it. */
function sees(history: History, instance: string, state: 'healthy' | 'broken'): boolean {
  const healedMs = history.faults.findLast(({ action }) => action === 'heal')?.endMs ?? Number.POSITIVE_INFINITY;
  const probes = history.probes.filter(
    (probe) =>
      probe.instance === instance && probe.expected === state && (state === 'broken' || probe.atMs >= healedMs),
  );
  return state === 'broken'
    ? probes.length > 0 && probes.every(({ seen }) => seen === 'broken')
    : probes.at(-1)?.seen === 'healthy';
}
