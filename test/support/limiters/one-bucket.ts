// Has one fallback bucket for all keys.

import { type Decision, Limiter, LocalStore } from './limiter.ts';
import { mark } from './marker.ts';
import { serve } from './serve.ts';

class Shared extends LocalStore {
  override take(): Decision {
    mark();
    return super.take('all');
  }
}

await serve(new Limiter({ fallback: new Shared() }));
