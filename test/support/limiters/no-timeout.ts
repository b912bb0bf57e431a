// Waits for Redis as long as it takes.

import { Limiter, settings } from './limiter.ts';
import { mark } from './marker.ts';
import { serve } from './serve.ts';

class Patient extends Limiter {
  protected override async inTime<T>(call: Promise<T>): Promise<T> {
    const late = setTimeout(mark, settings.deadlineMs * 2);
    try {
      return await call;
    } finally {
      clearTimeout(late);
    }
  }
}

await serve(new Patient());
