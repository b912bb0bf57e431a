// Bound 10: a probe of its own saw the fault through the same link, and saw it gone after the heal. A run whose fault did
// not bite proves nothing, so anything else is unknown, never pass and never fail.

import { type History, isControl, type ProbeEvent } from '../history.ts';
import { observerName } from '../scenario.ts';
import type { Check, CheckResult, Verdict } from './check.ts';
import { hits, isInstanceHit, type Window, windowsOf } from './windows.ts';

/** The lab looks for a fault each half second. */
const lookedForMs = 1500;

export const faultBit: Check = {
  name: 'fault-bit',
  property: 'a look of the lab’s own through each link that is hit saw the fault, and saw it gone',
  needs: ['schedule'],
  judge(history: History): CheckResult[] {
    const state = (verdict: Verdict, measured: number, detail: string): CheckResult[] => [
      { name: 'fault-bit', phase: 'fault', verdict, measured, limit: links.length, unit: 'links', detail },
    ];
    const links = linksHit(history);
    const bitten = links.filter((name) => sees(history, name, 'broken'));
    const healed = links.filter((name) => sees(history, name, 'healthy'));
    const hit = hitControlIn(history);
    const unseen = unseenOn(history, links);
    if (isStoreUnused(history) && windowsOf(history).some(reachesStore))
      return state('unknown', 0, 'the control never used its Redis: the limiter does not use the one that it is given');
    if (bitten.length < links.length) {
      return state(
        'unknown',
        bitten.length,
        `not seen on ${links.filter((name) => !bitten.includes(name)).join(', ')}`,
      );
    }
    if (unseen !== undefined) return state('unknown', bitten.length, unseen);
    if (healed.length < links.length) {
      return state('unknown', bitten.length, `not seen gone on ${links.filter((n) => !healed.includes(n)).join(', ')}`);
    }
    if (hit) return state('unknown', bitten.length, `the control arm was hit as well: ${hit.detail}`);
    return state('pass', bitten.length, 'seen on every link, and seen gone');
  },
};

/** The instances that a fault of the run reaches, and whoever else it is on that only observes them. */
function linksHit(history: History): string[] {
  const faulted = history.run.instances.filter(({ control }) => !control).map(({ name }) => name);
  const isObserverHit = windowsOf(history).some((window) => isOn(window, observerName));
  return [...faulted.filter((name) => isInstanceHit(history, name)), ...(isObserverHit ? [observerName] : [])];
}

/** The limiter has its Redis elsewhere, or none, so what happens to the one of the run is nothing to it. */
function isStoreUnused(history: History): boolean {
  return history.storeUse.findLast(({ instance }) => isControl(history, instance))?.commands === 0;
}

function reachesStore({ reach }: Window): boolean {
  return ['store-links', 'one-store-link', 'one-shard', 'shared-store'].includes(reach);
}

/** Whether the lab looks there for the fault. */
function isOn(window: Window, link: string): boolean {
  return link === observerName ? window.target === link : hits(window, link);
}

/**
 * Whether it was on: seen wherever the lab looked for it, on links where a fault was seen at all. Without that nothing may be
 * concluded from what the limiter did meanwhile. Nobody looks for one that is short, or that overlaps another.
 */
export function bit(history: History, window: Window): boolean {
  if (isStoreUnused(history) && reachesStore(window)) return false;
  return linksHit(history)
    .filter((name) => isOn(window, name))
    .every((name) => {
      const its = history.probes.filter(({ instance, expected }) => instance === name && expected === 'broken');
      return its.some(({ seen }) => seen === 'broken') && its.every((it) => it.seen === 'broken' || !isOf(it, window));
    });
}

/** A look at the control that saw what no other one in the same fault did is noise. */
function hitControlIn(history: History): ProbeEvent | undefined {
  const looks = history.probes.filter(({ instance }) => isControl(history, instance));
  return looks.find((look) => {
    const during = windowsOf(history).filter((window) => isIn(look, window));
    return (
      look.seen === 'broken' && !looks.some((it) => it.seen === 'healthy' && during.some((window) => isIn(it, window)))
    );
  });
}

/** A fault that was alone on a link for long enough to be looked for, and was not seen by itself, as a sentence without its full stop. */
function unseenOn(history: History, links: readonly string[]): string | undefined {
  for (const window of windowsOf(history)) {
    const name = links.find(
      (link) =>
        isOn(window, link) &&
        longestAloneMs(history, window, link) >= lookedForMs &&
        !history.probes.some((probe) => probe.instance === link && isOf(probe, window)),
    );
    if (name !== undefined) return `${window.fault} at ${(window.beginMs / 1000).toFixed(3)} s was not seen on ${name}`;
  }
  return undefined;
}

/** For how long at a time no other fault was on the link. */
function longestAloneMs(history: History, window: Window, link: string): number {
  let [longestMs, fromMs] = [0, window.biteMs];
  for (const other of windowsOf(history)) {
    if (other === window || !isOn(other, link) || other.healedMs <= fromMs) continue;
    longestMs = Math.max(longestMs, Math.min(other.beginMs, window.healMs) - fromMs);
    fromMs = other.healedMs;
  }
  return Math.max(longestMs, window.healMs - fromMs);
}

/** Nobody looks where two faults show, so what is seen is of the only one. */
function isOf(probe: ProbeEvent, window: Window): boolean {
  return probe.expected === 'broken' && isIn(probe, window);
}

function isIn({ atMs }: ProbeEvent, { biteMs, healMs }: Window): boolean {
  return atMs >= biteMs && atMs <= healMs;
}

/** The last probe that expected this state saw it. */
function sees(history: History, instance: string, state: 'healthy' | 'broken'): boolean {
  const heals = windowsOf(history).filter((window) => isOn(window, instance));
  const healedMs = Math.max(...heals.map(({ healedMs }) => healedMs));
  const probes = history.probes.filter(
    (probe) =>
      probe.instance === instance && probe.expected === state && (state === 'broken' || probe.atMs >= healedMs),
  );
  return state === 'broken'
    ? probes.length > 0 && probes.every(({ seen }) => seen === 'broken')
    : probes.at(-1)?.seen === 'healthy';
}
