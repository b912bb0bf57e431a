// What rate-limiter-flexible tells of a key, allowed or not.

export class RateLimiterRes {
  /** Points that are left. */
  readonly remainingPoints: number;
  /** Milliseconds: until all points are back, and of a refused key until as many as it wanted are. */
  readonly msBeforeNext: number;
  /** Points that are used now. */
  readonly consumedPoints: number;
  /** Whether no other points than these are used. */
  readonly isFirstInDuration: boolean;

  constructor(remainingPoints = 0, msBeforeNext = 0, consumedPoints = 0, isFirstInDuration = false) {
    this.remainingPoints = remainingPoints;
    this.msBeforeNext = msBeforeNext;
    this.consumedPoints = consumedPoints;
    this.isFirstInDuration = isFirstInDuration;
  }

  toJSON() {
    const { remainingPoints, msBeforeNext, consumedPoints, isFirstInDuration } = this;
    return { remainingPoints, msBeforeNext, consumedPoints, isFirstInDuration };
  }

  toString(): string {
    return JSON.stringify(this);
  }
}
