// Bound 1 of the design, independent of the service: no window Δ admits more than capacity + refill · Δ.

export interface Admission {
  readonly sentMs: number;
  readonly receivedMs: number;
  readonly cost: number;
}

/** The largest excess over all windows, in tokens; each admission dated as kindly as its sending and receipt allow. 0 at the least. */
export function admissionExcess(admissions: readonly Admission[], capacity: number, refillPerSecond: number): number {
  let worst = 0;
  const bySent = admissions.toSorted((a, b) => a.sentMs - b.sentMs);
  for (const [i, { sentMs: fromMs }] of bySent.entries()) {
    // Only what certainly lies inside the window counts: sent after it began, received before it ended.
    const inside = bySent.slice(i).toSorted((a, b) => a.receivedMs - b.receivedMs);
    let admitted = 0;
    for (const { receivedMs: toMs, cost } of inside) {
      admitted += cost;
      worst = Math.max(worst, admitted - capacity - (refillPerSecond * (toMs - fromMs)) / 1000);
    }
  }
  return worst;
}
