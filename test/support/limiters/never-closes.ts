// Never asks Redis again once the breaker is open.

import { Breaker, Limiter, type State } from './limiter.ts';
import { mark } from './marker.ts';
import { serve } from './serve.ts';

class Stuck extends Breaker {
  override enter(): State | undefined {
    if (this.state === 'closed') return 'closed';
    mark();
    return undefined;
  }
}

await serve(new Limiter({ breaker: new Stuck() }));
