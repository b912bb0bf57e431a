// Clears Redis whenever it has connected again.

import { Limiter } from './limiter.ts';
import { mark } from './marker.ts';
import { serve } from './serve.ts';

const limiter = new Limiter();
const { redis } = limiter.store;
redis.once('ready', () => {
  redis.on('ready', () => {
    mark();
    redis.flushdb().catch(() => {});
  });
});

await serve(limiter);
