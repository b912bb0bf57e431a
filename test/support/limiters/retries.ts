// Asks Redis again when an answer is late, though the first take may have counted.

import { type Decision, Limiter, RedisStore, within } from './limiter.ts';
import { mark } from './marker.ts';
import { serve } from './serve.ts';

const patienceMs = 2;

class Retrying extends RedisStore {
  override take(key: string): Promise<Decision> {
    return within(patienceMs, super.take(key)).catch(() => {
      mark();
      return super.take(key);
    });
  }
}

await serve(new Limiter({ store: new Retrying() }));
