// Repeats a denial for the whole window, though the bucket refills meanwhile.

import { type Answer, Limiter, settings } from './limiter.ts';
import { mark } from './marker.ts';
import { serve } from './serve.ts';

class Grudging extends Limiter {
  readonly #denied = new Map<string, { answer: Answer; untilMs: number }>();

  override async take(key: string): Promise<Answer> {
    const denied = this.#denied.get(key);
    if (denied && performance.now() < denied.untilMs) {
      mark();
      return denied.answer;
    }
    const answer = await super.take(key);
    if (!answer.allowed) this.#denied.set(key, { answer, untilMs: performance.now() + settings.windowMs });
    return answer;
  }
}

await serve(new Grudging());
