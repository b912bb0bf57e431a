// Errors of the application's that uses a limiter, each with all that is wrong.

/** What a limiter, or an adapter, is told is not usable. The message names every mistake. */
export class OptionsError extends TypeError {
  override readonly name = 'OptionsError';
  /** Each names its place, what is there and what is allowed. */
  readonly mistakes: readonly string[];

  /** `of`: what was told so. */
  constructor(of: string, mistakes: readonly string[]) {
    super(`${of}: ${mistakes.join('\n  ')}`);
    this.mistakes = mistakes;
  }
}

/** Something is asked of a limiter after its end. */
export class ClosedError extends Error {
  override readonly name = 'ClosedError';

  constructor() {
    super('The limiter is closed; nothing can be taken any more.');
  }
}
