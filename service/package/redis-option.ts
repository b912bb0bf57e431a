// The option `redis` of the package, as a schema reads it, made into an address or a borrowed connection.

import type { ConnectionOptions } from 'node:tls';
import { z } from 'zod';
import { hostPortOf, isHost, redisUrlOf } from '../config/redis-address.ts';
import { tryReadBy } from '../doors/json/field-mistakes.ts';
import { fields, whole } from '../doors/json/shapes.ts';
import type { Borrowed, RedisAddress, SendCommand } from '../redis/options.ts';
import { asSeen } from './limits-option.ts';

const allowed =
  'redis://user:password@host:port/database, rediss://… for TLS or redis+unix://…; an object with host and port, path, sentinels and name, or nodes; an ioredis client; or an object with sendCommand';

const text = (error: string) => z.string({ error }).min(1, { error });
const host = z.string({ error: 'the name or the IP address of a host' }).refine(isHost, {
  error: 'the name or the IP address of a host',
});
const port = whole(1, 65_535);
const address = fields({ host, port });
const access = {
  username: text('a name, beside a password').optional(),
  password: z.string({ error: 'a text' }).optional(),
  tls: z
    .union([z.boolean(), z.custom<ConnectionOptions>((value) => typeof value === 'object' && value !== null)], {
      error: 'true, false, or the options of tls.connect',
    })
    .optional(),
};
const db = whole(0, 9999).optional();
const natMapError = 'an object that has addresses as host:port for its fields, each an object with host and port';
const natMap = z
  .record(z.string().refine(hostPortOf), address, { error: natMapError })
  .refine((map) => Object.keys(map).every(hostPortOf), { error: natMapError })
  .optional();
const addressesError = 'a list of objects with host and port, at least one';
const addresses = z.array(address, { error: addressesError }).min(1, { error: addressesError });

const server = fields({
  ...access,
  host: host.default('localhost'),
  port: port.default(6379),
  path: text('the path of a Unix socket').optional(),
  db,
});
const sentinels = fields({
  ...access,
  sentinels: addresses,
  name: text('what the Sentinels call the master'),
  sentinelUsername: access.username,
  sentinelPassword: access.password,
  natMap,
  db,
});
const cluster = fields({ ...access, nodes: addresses, natMap });

/** Where Redis is; undefined when there is none. What is wrong is added to `mistakes`, a line each. */
export function redisOf(option: unknown, mistakes: string[]): RedisAddress | Borrowed | undefined {
  if (option === undefined) return undefined;
  if (typeof option === 'string' || option instanceof URL) return ofUrl(String(option), mistakes);
  if (typeof option !== 'object' || option === null)
    return tell(`${option === null ? 'null' : `a ${typeof option}`}; allowed: ${allowed}`, mistakes);
  const client = clientOf(option);
  if (client) return client.mistake === undefined ? ofObject(client.options, mistakes) : tell(client.mistake, mistakes);
  if ('sendCommand' in option) return ofSender(option, mistakes);
  const seen = asSeen(option);
  return typeof seen === 'object' ? ofObject(option, mistakes) : tell(`${seen}; allowed: ${allowed}`, mistakes);
}

function tell(mistake: string, mistakes: string[]): undefined {
  mistakes.push(`redis is ${mistake}`);
}

function ofUrl(option: string, mistakes: string[]): RedisAddress | undefined {
  const url = redisUrlOf(option);
  if (!url) return tell(`a text that is not shown and no URL of a Redis; allowed: ${allowed}`, mistakes);
  const { at, ...rest } = url;
  return 'path' in at ? { kind: 'unix', path: at.path, ...rest } : { kind: 'single', ...at, ...rest };
}

function ofSender(option: { sendCommand: unknown }, mistakes: string[]): Borrowed | undefined {
  const names = Object.keys(option);
  if (typeof option.sendCommand === 'function' && names.length === 1)
    return { kind: 'borrowed', sendCommand: option.sendCommand as SendCommand };
  const what = typeof option.sendCommand === 'function' ? 'other fields beside sendCommand' : 'no function sendCommand';
  return tell(`an object with ${what}; allowed: { sendCommand: (...words) => Promise }`, mistakes);
}

/** What is known of a client of a library; undefined for what is none. */
function clientOf(
  option: object,
): { readonly options: object; readonly mistake?: undefined } | { readonly mistake: string } | undefined {
  const it = option as Partial<
    Record<'status' | 'options' | 'duplicate' | 'isCluster' | 'isOpen' | 'isReady', unknown>
  >;
  const several = severalMistake(option);
  if (several !== undefined) return { mistake: several };
  if (typeof it.isOpen === 'boolean' && typeof it.isReady === 'boolean') {
    const instead = '{ sendCommand: (...words) => client.sendCommand(words) }, or the URL that it has';
    return { mistake: `a client of the package redis; allowed: ${instead}` };
  }
  if (typeof it.duplicate !== 'function' || typeof it.status !== 'string' || typeof it.options !== 'object')
    return undefined;
  if (it.isCluster) return { mistake: "ioredis's Cluster; allowed: an object with nodes, a list of its addresses" };
  if (it.status === 'end') {
    return { mistake: 'an ioredis client that is closed; allowed: one that is not, or the address of the Redis' };
  }
  const options = it.options as Record<string, unknown>;
  return options.sentinels && !isOneTls(options) ? { mistake: notOneTls } : { options: addressIn(options) };
}

/** What is wrong with a client of the package redis that has several of them: its `sendCommand` asks which one is meant. */
export function severalMistake(client: object): string | undefined {
  if ('getSlotMaster' in client)
    return 'a cluster of the package redis; allowed: an object with nodes, a list of its addresses';
  if ('getMasterNode' in client)
    return 'Sentinels of the package redis; allowed: an object with sentinels, a list of their addresses, and name';
  return undefined;
}

const notOneTls =
  'an ioredis client that has TLS and does not use it for the Sentinels and the master alike; allowed: for both, with tls, enableTLSForSentinelMode and sentinelTLS, or for neither';

/** Beside Sentinels ioredis speaks in the clear to the master in spite of `tls`, and to them without `sentinelTLS`. */
function isOneTls({ tls, sentinelTLS, enableTLSForSentinelMode }: Readonly<Record<string, unknown>>): boolean {
  return tls ? Boolean(enableTLSForSentinelMode && sentinelTLS) : !sentinelTLS;
}

/** Of all that ioredis may be told, where its Redis is. What is empty it takes for none, as the user of `redis://:password@host`. */
function addressIn(options: Readonly<Record<string, unknown>>): object {
  const { sentinels: _, name, ...ofOne } = options;
  const shape = options.sentinels ? sentinels.shape : server.shape;
  const known = Object.entries(options.sentinels ? options : ofOne).filter(
    ([field, value]) => field in shape && value !== null && value !== undefined && value !== '',
  );
  const isByPath = !options.sentinels && Boolean(options.path);
  return Object.fromEntries(isByPath ? known.filter(([field]) => field !== 'host' && field !== 'port') : known);
}

function ofObject(option: object, mistakes: string[]): RedisAddress | undefined {
  if ('sentinels' in option) {
    const it = read(sentinels, option, mistakes);
    return (
      it && {
        ...it,
        kind: 'sentinel',
        natMap: it.natMap ?? {},
        db: it.db ?? 0,
        ...sentinelAccessIn(it),
        ...accessIn(it),
      }
    );
  }
  if ('nodes' in option) {
    const it = read(cluster, option, mistakes);
    return it && { ...it, kind: 'cluster', natMap: it.natMap ?? {}, ...accessIn(it) };
  }
  const it = read(server, option, mistakes);
  if (!it) return undefined;
  const { path, host, port, db = 0 } = it;
  if (path === undefined) return { kind: 'single', host, port, db, ...accessIn(it) };
  if (!('host' in option || 'port' in option)) return { kind: 'unix', path, db, ...accessIn(it) };
  return tell('an object with a path and a host or a port; allowed: one or the other', mistakes);
}

function read<T extends { username?: string | undefined; password?: string | undefined }>(
  shape: z.ZodType<T>,
  option: object,
  mistakes: string[],
): T | undefined {
  const result = tryReadBy(shape, option, 'redis', 'redis.');
  if ('mistakes' in result) {
    mistakes.push(...result.mistakes.map(({ detail }) => detail));
    return undefined;
  }
  const { username, password } = result.data;
  if (username === undefined || password !== undefined) return result.data;
  mistakes.push('redis.password is missing; allowed: a text, beside a username');
  return undefined;
}

function accessIn({ username, password, tls = false }: z.infer<z.ZodObject<typeof access>>) {
  return { username, password, tls };
}

function sentinelAccessIn({ sentinelUsername, sentinelPassword }: z.infer<typeof sentinels>) {
  return { sentinelUsername, sentinelPassword };
}
