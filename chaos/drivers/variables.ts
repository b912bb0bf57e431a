// The variables of an instance: what every limiter is told, and over it what its target says.

import { filled, type Target } from '../targets/target.ts';

/** The variables that say where Redis is. */
const redisVariables = ['REDIS_ADDR', 'REDIS_CLUSTER_ADDRS', 'REDIS_SENTINEL_ADDRS'];

type Variables = Readonly<Record<string, string>>;

/** `told`: what every limiter is told. */
export function variablesOf({ env }: Pick<Target, 'env'>, told: Variables): Record<string, string> {
  const own = Object.entries(env).map(([name, value]) => [name, filledFor(value, told)]);
  return { ...told, ...Object.fromEntries(own) };
}

/** With `{redis}`, `{host}` and `{port}` filled in. */
export function filledFor(text: string, told: Variables): string {
  const redis = redisVariables.map((name) => told[name]).find((value) => value !== undefined) ?? '';
  return filled(text, { redis, host: told.HOST ?? '', port: told.PORT ?? '' });
}
