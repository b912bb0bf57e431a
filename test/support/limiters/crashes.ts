// Ends when its connection to Redis is lost.

import { Limiter } from './limiter.ts';
import { mark } from './marker.ts';
import { serve } from './serve.ts';

const limiter = new Limiter();
limiter.store.redis.on('error', (error) => {
  mark();
  throw error;
});

await serve(limiter);
