// Fails closed: without Redis every request is denied.

import { type Answer, decision, Limiter } from './limiter.ts';
import { mark } from './marker.ts';
import { serve } from './serve.ts';

class Closed extends Limiter {
  override withoutRedis(): Answer {
    mark();
    return { ...decision(false, 0), source: 'fallback' };
  }
}

await serve(new Closed());
