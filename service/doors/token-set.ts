// Tokens and passwords that let somebody in. A comparison takes as long whatever is wrong with the one that is given.

import { hash, timingSafeEqual } from 'node:crypto';

export class TokenSet {
  readonly #digests: readonly Buffer[];

  constructor(tokens: readonly (string | undefined)[]) {
    this.#digests = tokens.flatMap((token) => (token === undefined ? [] : [sha256(token)]));
  }

  has(token: string): boolean {
    const given = sha256(token);
    return this.#digests.some((digest) => timingSafeEqual(digest, given));
  }
}

/** All of one length, as a comparison in constant time needs them. */
function sha256(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}
