// Keeps room for the history of each key that was ever asked for.

import { type Answer, Limiter } from './limiter.ts';
import { mark } from './marker.ts';
import { serve } from './serve.ts';

const roomBytes = 131_072;

class Leaking extends Limiter {
  readonly #history = new Map<string, Buffer>();

  override take(key: string): Promise<Answer> {
    mark();
    if (!this.#history.has(key)) this.#history.set(key, Buffer.alloc(roomBytes, 1));
    return super.take(key);
  }
}

await serve(new Leaking());
