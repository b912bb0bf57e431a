// What Redis's clock shows, seen from here, learned from every reply: so that a batch can carry its deadline along.
//
//   here    sent ────────────────────────── received          offset = redis − here
//   redis            └─ script reads TIME ─┘                  time − received ≤ offset ≤ time − sent
//
// The lower bound is kept, the highest seen: with it a deadline on Redis's clock never lies later than the same
// deadline here, so a script that still runs has somebody waiting for it. It decays by more than two clocks can drift
// apart, and a reply that contradicts it (Redis's clock was set) replaces it at once.

/** How far two clocks may drift apart: 500 parts per million is the fastest that NTP slews (RFC 5905). */
const driftRatio = 500e-6;

export class ClockOffset {
  #offsetUs: number | undefined;
  #learnedAtUs = 0;

  /** Takes in one reply: Redis's `TIME` and the instants here, in microseconds, between which it was read. */
  learn(redisUs: number, sentUs: number, receivedUs: number): void {
    const lowerUs = redisUs - receivedUs;
    const upperUs = redisUs - sentUs;
    const knownUs = this.#boundAt(receivedUs);
    this.#offsetUs = knownUs === undefined || knownUs > upperUs ? lowerUs : Math.max(knownUs, lowerUs);
    this.#learnedAtUs = receivedUs;
  }

  /** The instant `hereUs` on Redis's clock, at the earliest; undefined before the first reply. */
  toRedisUs(hereUs: number): number | undefined {
    const offsetUs = this.#boundAt(hereUs);
    return offsetUs === undefined ? undefined : Math.floor(hereUs + offsetUs);
  }

  /** Another Redis may answer from now on. */
  forget(): void {
    this.#offsetUs = undefined;
  }

  #boundAt(hereUs: number): number | undefined {
    return this.#offsetUs === undefined ? undefined : this.#offsetUs - (hereUs - this.#learnedAtUs) * driftRatio;
  }
}
