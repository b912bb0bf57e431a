// The package's middleware for Express, as its README shows it.

import express from 'express';
import { createLimiter } from 'failopen';
import { rateLimit } from 'failopen/express';
import { keyOf, limit, listen, redisPort, successful, windowS } from './common.ts';

const limiter = createLimiter({
  redis: { host: '127.0.0.1', port: redisPort },
  limits: { capacity: limit, windowSeconds: windowS },
});
const app = express();
app.disable('x-powered-by').disable('etag');
app.use(rateLimit({ limiter, key: ({ headers }) => keyOf(headers) }));
app.get('/', successful);
listen(app);
