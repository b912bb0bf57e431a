// This project's own limiter, by the ways into it that have no policy of the run's: Envoy's rules can say a limit by the
// minute, and a client of Redis brings its limit along. Both say the same one here.

import { join } from 'node:path';
import type { Bounds } from '../scenario.ts';
import { failopen } from './failopen.ts';
import { type KnownTarget, plain } from './target.ts';

/** As `failopen-rules` says. */
const requestsPerMinute = 30;
const limitText = `with ${requestsPerMinute} requests a minute`;
/** As many as a run has, and is told of. */
const instances = 2;
const bounds = {
  capacity: requestsPerMinute,
  refillPerSecond: requestsPerMinute / 60,
  fallbackCapacity: requestsPerMinute / instances,
  fallbackRefillPerSecond: requestsPerMinute / 60 / instances,
} as const satisfies Partial<Bounds>;
const rules = { RLS_CONFIG_DIR: join(import.meta.dirname, 'failopen-rules') } as const;

export const failopenDoors: readonly KnownTarget[] = [
  {
    ...failopen,
    name: 'failopen-envoy',
    about: `the same behind a real Envoy with its rate limit filter, where there is one, ${limitText}`,
    start: { node: join(import.meta.dirname, 'failopen-envoy-server.ts') },
    env: rules,
    answer: { allowed: { status: 200 }, denied: { status: 429 }, remaining: plain.answer.remaining },
    gives: ['remaining', 'breaker'],
    bounds,
  },
  {
    ...failopen,
    name: 'failopen-grpc',
    about: `the same, asked by gRPC as Envoy asks, ${limitText}`,
    env: { ...rules, RLS_RESPONSE_HEADERS: 'on' },
    transport: { protocol: 'grpc', portVariable: 'GRPC_PORT' },
    take: {
      method: 'POST',
      path: '/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit',
      headers: {},
      body: '{"domain":"lab","descriptors":[{"entries":[{"key":"key","value":"{key}"}]}]}',
    },
    answer: {
      allowed: { status: 200 },
      denied: { status: 429 },
      remaining: [{ pointer: '/statuses/0/limitRemaining' }],
      source: plain.answer.source,
    },
    // More than by the other doors: a call is so many objects that the runtime may keep 100 MiB of garbage.
    bounds: { ...bounds, memoryGrowthMiB: 192 },
  },
  {
    ...failopen,
    name: 'failopen-resp',
    about: `the same, asked as Redis with redis-cell is, ${limitText}`,
    transport: { protocol: 'resp', portVariable: 'RESP_PORT' },
    take: {
      method: 'CL.THROTTLE',
      path: '',
      headers: {},
      body: `["{key}",${requestsPerMinute - 1},${requestsPerMinute},60]`,
    },
    answer: {
      allowed: { pointer: '/0', equals: 0 },
      denied: { pointer: '/0', equals: 1 },
      remaining: [{ pointer: '/2' }],
    },
    gives: ['remaining', 'breaker'],
    bounds: { ...failopen.bounds, ...bounds },
  },
];
