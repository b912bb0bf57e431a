// Lets everything pass without Redis.

import { type Answer, decision, Limiter, settings } from './limiter.ts';
import { mark } from './marker.ts';
import { serve } from './serve.ts';

class Unlimited extends Limiter {
  override withoutRedis(): Answer {
    mark();
    return { ...decision(true, settings.burst), source: 'fallback' };
  }
}

await serve(new Unlimited());
