// Tells what remains to the key that was asked for before.

import { type Answer, Limiter } from './limiter.ts';
import { mark } from './marker.ts';
import { serve } from './serve.ts';

class Mixed extends Limiter {
  #before = { key: '', remaining: 0 };

  override async take(key: string): Promise<Answer> {
    const answer = await super.take(key);
    const { remaining } = this.#before;
    if (this.#before.key !== key) mark();
    this.#before = { key, remaining: answer.remaining };
    return { ...answer, remaining };
  }
}

await serve(new Mixed());
