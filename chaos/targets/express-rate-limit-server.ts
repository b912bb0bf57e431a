// The program of the targets `express-rate-limit` and `express-rate-limit-pass-on-store-error`: the two packages and
// ioredis as their READMEs show them, with no other settings than these.

import express from 'express';
import { rateLimit } from 'express-rate-limit';
import { Redis } from 'ioredis';
import { type RedisReply, RedisStore } from 'rate-limit-redis';
import { options } from './express-rate-limit-options.ts';
import { redisAddress, serve } from './settings.ts';

const client = new Redis(redisAddress);
serve(
  express(),
  rateLimit({
    ...options,
    passOnStoreError: process.env.PASS_ON_STORE_ERROR === 'true',
    store: new RedisStore({
      sendCommand: (command: string, ...args: string[]) => client.call(command, ...args) as Promise<RedisReply>,
    }),
  }),
);
