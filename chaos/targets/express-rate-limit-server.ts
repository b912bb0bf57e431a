// The program of the targets `express-rate-limit` and `express-rate-limit-pass-on-store-error`: the two packages and
// ioredis as their READMEs show them, with no other settings than these.

import express from 'express';
import { rateLimit } from 'express-rate-limit';
import { Redis } from 'ioredis';
import { type RedisReply, RedisStore } from 'rate-limit-redis';
import { keyOf, limit, redisAddress, serve, windowS } from './settings.ts';

const client = new Redis(redisAddress);
serve(
  express(),
  rateLimit({
    windowMs: windowS * 1000,
    limit,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    keyGenerator: keyOf,
    passOnStoreError: process.env.PASS_ON_STORE_ERROR === 'true',
    store: new RedisStore({
      sendCommand: (command: string, ...args: string[]) => client.call(command, ...args) as Promise<RedisReply>,
    }),
  }),
);
