// Fails closed: without Redis every request is an error.

import { type Answer, Limiter } from './limiter.ts';
import { mark } from './marker.ts';
import { serve } from './serve.ts';

class Closed extends Limiter {
  override withoutRedis(): Answer {
    mark();
    throw new Error('Redis does not answer');
  }
}

await serve(new Closed());
