// The package: a limiter inside an application.
//
//   const limiter = createLimiter({ redis: 'redis://localhost:6379', limits: '100 per minute' });
//   const { allowed } = await limiter.take('alice');

import { EngineLimiter } from './engine-limiter.ts';
import type { Limiter } from './limiter.ts';
import type { LimiterOptions } from './limiter-options.ts';
import { settingsOf } from './options.ts';

export type {
  Decision,
  Limiter,
  LimiterStatus,
  TakeOptions,
} from './limiter.ts';
export type {
  CommandSender,
  IoredisClient,
  LimiterEvent,
  LimiterOptions,
  LimitOption,
  PolicyOption,
  RedisCluster,
  RedisOption,
  RedisSentinels,
  RedisServer,
} from './limiter-options.ts';
export { ClosedError, OptionsError } from './options-error.ts';

/**
 * A limiter for this process. It begins to connect and returns at once; Redis need not be there. Throws an `OptionsError`
 * that names every mistake in the options.
 *
 * @example
 * const limiter = createLimiter({ redis: 'redis://localhost:6379', limits: '100 per minute' });
 * const { allowed, retryAfterMs } = await limiter.take(userId);
 */
export function createLimiter(options: LimiterOptions): Limiter {
  return new EngineLimiter(settingsOf(options));
}
