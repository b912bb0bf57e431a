// Opens its breaker after two hundred failures.

import { Breaker, Limiter, type State, settings } from './limiter.ts';
import { mark } from './marker.ts';
import { serve } from './serve.ts';

class Slow extends Breaker {
  protected override readonly failuresMax = 200;

  override failed(begun: State): void {
    if (begun === 'closed' && this.failures >= settings.failures) mark();
    super.failed(begun);
  }
}

await serve(new Limiter({ breaker: new Slow() }));
