// The one time axis under every lane: how long the run is, its phases, and when which fault was in place.

import type { FaultEvent, History } from '../history.ts';
import type { PhaseName } from '../scenario.ts';

/** Width of a bin of the charts. */
export const binMs = 250;

/** Of the bin that an instant lies in. */
export function binStart(atMs: number, widthMs: number = binMs): number {
  return Math.floor(atMs / widthMs) * widthMs;
}

export interface Stretch {
  readonly name: PhaseName | 'warm-up';
  readonly startMs: number;
  readonly endMs: number;
}

export interface FaultWindow {
  readonly fault: string;
  readonly description: string;
  readonly targets: readonly string[];
  readonly startMs: number;
  readonly endMs: number;
  /** False when the run ended with the fault still in place. */
  readonly healed: boolean;
}

export interface Timeline {
  readonly startMs: number;
  readonly endMs: number;
  /** In order, the warm-up first. */
  readonly stretches: readonly Stretch[];
  readonly faults: readonly FaultWindow[];
}

export function timelineOf(history: History): Timeline {
  const { phases, answers, faults } = history;
  let endMs = phases.at(-1)?.endMs ?? 0;
  for (const { scheduledMs } of answers) endMs = Math.max(endMs, scheduledMs);
  for (const fault of faults) endMs = Math.max(endMs, fault.endMs);
  const firstMs = phases[0]?.startMs ?? endMs;
  const warmUp: Stretch[] = firstMs > 0 ? [{ name: 'warm-up', startMs: 0, endMs: firstMs }] : [];
  return { startMs: 0, endMs: Math.max(endMs, 1), stretches: [...warmUp, ...phases], faults: windowsOf(faults, endMs) };
}

/**
 * From the first injection to the last heal of those that overlap; a fault that hits several targets is one window. One
 * that was never healed lasts until `endMs`.
 */
export function windowsOf(faults: readonly FaultEvent[], endMs: number): FaultWindow[] {
  const heals = faults.filter(({ action }) => action === 'heal');
  const windows: FaultWindow[] = [];
  const injects = faults.filter(({ action }) => action === 'inject').sort((a, b) => a.beginMs - b.beginMs);
  for (const { fault, target, beginMs, description } of injects) {
    const heal = heals.find((h) => h.fault === fault && h.target === target && h.endMs >= beginMs);
    const own = {
      fault,
      description,
      targets: [target],
      startMs: beginMs,
      endMs: heal?.endMs ?? endMs,
      healed: heal !== undefined,
    };
    const i = windows.findIndex((window) => window.fault === fault && window.endMs >= beginMs);
    const known = windows[i];
    if (!known) windows.push(own);
    else {
      windows[i] = {
        fault,
        description,
        targets: [...new Set([...known.targets, target])],
        startMs: known.startMs,
        endMs: Math.max(known.endMs, own.endMs),
        healed: known.healed && own.healed,
      };
    }
  }
  return windows;
}
