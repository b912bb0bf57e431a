// express-rate-limit with rate-limit-redis, as their READMEs show them.

import express from 'express';
import { rateLimit } from 'express-rate-limit';
import { Redis } from 'ioredis';
import { type RedisReply, RedisStore } from 'rate-limit-redis';
import { keyOf, limit, listen, redisPort, successful, windowS } from './common.ts';

const client = new Redis({ host: '127.0.0.1', port: redisPort });
const app = express();
app.disable('x-powered-by').disable('etag');
app.use(
  rateLimit({
    windowMs: windowS * 1000,
    limit,
    standardHeaders: 'draft-8',
    legacyHeaders: true,
    keyGenerator: ({ headers }) => keyOf(headers),
    store: new RedisStore({
      prefix: 'erl:',
      sendCommand: (command: string, ...args: string[]) => client.call(command, ...args) as Promise<RedisReply>,
    }),
  }),
);
app.get('/', successful);
listen(app);
