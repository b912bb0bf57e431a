// Rounds the wait of refused clients down: to none.

import { type Answer, Limiter } from './limiter.ts';
import { mark } from './marker.ts';
import { serve } from './serve.ts';

class Early extends Limiter {
  override async take(key: string): Promise<Answer> {
    const answer = await super.take(key);
    if (answer.allowed) return answer;
    mark();
    return { ...answer, waitMs: Math.floor(answer.waitMs / 1000) * 1000 };
  }
}

await serve(new Early());
