// Keys as Redis gets them where they must not be read there: HMAC-SHA-256 by a secret, behind what kind of key it is.
//
//   header:x-api-key=alice ─▶ header:x-api-key=kV3…     43 characters of base64url
//
// A key that comes again costs no hash: those of late are remembered, in two halves. A full half takes the place of the
// older one, so nothing is ever sorted out.

import { createHmac } from 'node:crypto';
import { keyKindOf } from './key-kind.ts';

const halfMax = 10_000;

export class KeyHash {
  readonly #secret: string;
  #newer = new Map<string, string>();
  #older: ReadonlyMap<string, string> = new Map();

  constructor(secret: string) {
    this.#secret = secret;
  }

  of(key: string): string {
    const known = this.#newer.get(key);
    if (known !== undefined) return known;
    const hashed = this.#older.get(key) ?? this.#hashed(key);
    if (this.#newer.size >= halfMax) {
      this.#older = this.#newer;
      this.#newer = new Map();
    }
    this.#newer.set(key, hashed);
    return hashed;
  }

  #hashed(key: string): string {
    return keyKindOf(key) + createHmac('sha256', this.#secret).update(key).digest('base64url');
  }
}
