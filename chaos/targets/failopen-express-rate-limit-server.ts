// The program of the target `failopen-express-rate-limit`: that of `express-rate-limit`, with another import for the store.

import express from 'express';
import { rateLimit } from 'express-rate-limit';
import { RedisStore } from 'failopen/express-rate-limit';
import { options } from './express-rate-limit-options.ts';
import { burst, instances, redisAddress, serve } from './settings.ts';

serve(
  express(),
  rateLimit({
    ...options,
    store: new RedisStore({ redis: redisAddress, fallbackMax: burst, instances }),
  }),
);
