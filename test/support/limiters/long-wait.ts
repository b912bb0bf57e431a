// Tells refused clients to wait for the whole window.

import { type Answer, Limiter, settings } from './limiter.ts';
import { mark } from './marker.ts';
import { serve } from './serve.ts';

class Late extends Limiter {
  override async take(key: string): Promise<Answer> {
    const answer = await super.take(key);
    if (answer.allowed) return answer;
    mark();
    return { ...answer, waitMs: settings.windowMs };
  }
}

await serve(new Late());
