// Gives every key a full fallback bucket whenever the breaker opens, after a failed probe too.

import { Breaker, Limiter, LocalStore, type State } from './limiter.ts';
import { mark } from './marker.ts';
import { serve } from './serve.ts';

class Forgetful extends LocalStore {
  forget(): void {
    this.buckets.clear();
  }
}

const fallback = new Forgetful();

class Clearing extends Breaker {
  protected override move(to: State): void {
    if (to === 'open' && this.state === 'half-open') mark();
    if (to === 'open') fallback.forget();
    super.move(to);
  }
}

await serve(new Limiter({ fallback, breaker: new Clearing() }));
