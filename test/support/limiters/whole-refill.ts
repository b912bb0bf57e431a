// Refills the fallback bucket of each instance as if it were the only one.

import { type Decision, Limiter, LocalStore, refill } from './limiter.ts';
import { mark } from './marker.ts';
import { serve } from './serve.ts';

class Whole extends LocalStore {
  protected override readonly perMs: number = refill;

  override take(key: string): Decision {
    mark();
    return super.take(key);
  }
}

await serve(new Limiter({ fallback: new Whole() }));
