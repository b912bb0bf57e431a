// The doors that the settings open, before one engine.

import type { Config } from './config/env.ts';
import type { Door, DoorName } from './doors/door.ts';
import { type ApiOptions, createApi } from './doors/http.ts';
import { Intake } from './doors/intake.ts';
import type { ApiParts } from './doors/json/api-parts.ts';
import { createJsonDoor } from './doors/json/door.ts';
import { routesOf } from './doors/json/routes.ts';
import { createGate } from './doors/middleware.ts';
import { RespDoor } from './doors/resp/door.ts';
import { type RlsRules, rlsPolicy } from './doors/rls/rules.ts';
import { createHttpServer } from './doors/server.ts';
import type { Engine } from './engine.ts';

export type DoorsConfig = Pick<
  Config,
  'ports' | 'tokens' | 'addresses' | 'keepAliveTimeoutMs' | 'policiesOptions' | 'withRlsHeaders'
>;

export interface DoorsParts
  extends Pick<Engine, 'limiter' | 'buckets'>,
    Pick<ApiParts, 'policies' | 'top' | 'hashKey'>,
    Pick<ApiOptions, 'page' | 'pageContentType' | 'readiness'> {
  /** Those of now. */
  readonly rules: () => RlsRules;
  /** A request cannot be counted as it is; `policy`: by which. */
  readonly onMistake: (policy: string) => void;
  readonly onDefect: (error: unknown) => void;
}

/** Each is to be given its connections. */
export async function openDoors(config: DoorsConfig, parts: DoorsParts): Promise<ReadonlyMap<DoorName, Door>> {
  const { tokens, addresses, keepAliveTimeoutMs, policiesOptions: sharing, withRlsHeaders: withHeaders } = config;
  const { limiter, buckets, policies, rules, readiness, onMistake, onDefect } = parts;
  const { ipv6Prefix } = addresses;
  const isOpen = (name: DoorName) => config.ports.some(({ door }) => door === name);

  const intake = new Intake();
  const json = createJsonDoor({ routes: routesOf({ ...parts, ipv6Prefix, tokens }), tokens, onDefect });
  const gate = createGate({ limiter, policies, addresses, onMistake, onDefect });
  const doors: Door[] = [
    createHttpServer(config, createApi({ ...parts, intake, json, gate, onError: onDefect }), intake),
  ];
  if (isOpen('grpc')) {
    const { createRlsDoor } = await import('./doors/rls/door.ts'); // takes a while to load
    const ofRls = { rules, shares: sharing, withHeaders, keepAliveTimeoutMs, onMistake: () => onMistake(rlsPolicy) };
    doors.push(createRlsDoor({ limiter, buckets, tokens, onDefect, ...ofRls }));
  }
  if (isOpen('resp')) doors.push(new RespDoor({ limiter, buckets, sharing, tokens, readiness, onDefect }));
  return new Map(doors.map((door) => [door.name, door]));
}
