// Sends every take to Redis as well while the breaker is open.

import { type Answer, Limiter } from './limiter.ts';
import { mark } from './marker.ts';
import { serve } from './serve.ts';

class Insistent extends Limiter {
  override withoutRedis(key: string): Answer {
    if (this.breaker.state === 'open') {
      mark();
      this.store.take(key).catch(() => {});
    }
    return super.withoutRedis(key);
  }
}

await serve(new Insistent());
