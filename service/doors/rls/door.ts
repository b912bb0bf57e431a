// The door of Envoy's rate limit service: gRPC, with what gRPC's tools ask of a server beside it.
//
//   ShouldRateLimit ─▶ token ─▶ request ─▶ rules ─▶ limiter ─▶ response
//                    UNAUTHENTICATED  INVALID_ARGUMENT
//
// A client can hold so many bytes of this process and no more: the length of a message, of its headers, and the calls of a
// connection at a time are limited, and a connection that does nothing, or does not answer, is closed.

import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import type { Door } from '../door.ts';
import { Refusal } from '../json/refusal.ts';
import { createGuard, type Tokens } from '../json/tokens.ts';
import { type AnswerParts, answerTo } from './answer.ts';
import { chargedBy } from './charged.ts';
import { Connections, http2ServerOf } from './connections.ts';
import { Health } from './health.ts';
import { Overrides } from './overrides.ts';
import { answerPlainly, type CallStatus } from './plain-calls.ts';
import { loadProtocol, rlsServiceName } from './protocol.ts';
import { type RequestMistake, type RlsRequest, requestIn } from './request.ts';
import { bytesOfResponse, type RlsResponse } from './response.ts';
import type { RlsRules } from './rules.ts';
import { WideCalls } from './wide-calls.ts';

export interface RlsDoorOptions extends AnswerParts {
  /** Those of now. */
  readonly rules: () => RlsRules;
  /** Who shares the limits that requests bring along. */
  readonly shares: { readonly instances: number | undefined; readonly workers: number };
  readonly tokens: Tokens;
  /** How long an idle connection is kept. */
  readonly keepAliveTimeoutMs: number;
  /** A request cannot be answered as it is. */
  readonly onMistake: () => void;
  readonly onDefect: (error: unknown) => void;
}

/** Enough for a few headers of the longest that Envoy takes, 60 KiB: a client's header must not make a call fail. */
const messageBytesMax = 262_144;
/** Of one connection at a time. More wait in the client, or have it open another connection. */
const callsMax = 100;
/** Who has not been heard for so long is asked for an answer, and has so long for it. */
const pingAfterMs = 30_000;
const pongMsMax = 10_000;

/** Why a call is not answered. */
class CallError extends Error {
  readonly code: status;

  constructor(code: status, details: string) {
    super(details);
    this.code = code;
  }
}

type Asked = RlsRequest | RequestMistake;

export function createRlsDoor(options: RlsDoorOptions): Door {
  const { rules, shares, tokens, keepAliveTimeoutMs, onMistake, onDefect } = options;
  const overrides = new Overrides({ instances: shares.instances ?? 1, workers: shares.workers });
  const guard = createGuard(tokens);

  const wideCalls = new WideCalls();

  const answer = async (request: Asked, authorization: string | undefined, isOver: () => boolean) => {
    guard('api', authorization);
    if ('mistake' in request) throw new CallError(status.INVALID_ARGUMENT, request.mistake);
    return wideCalls.decide(request.descriptors.length, async () => {
      if (isOver()) throw new CallError(status.CANCELLED, 'Its client waits no more.');
      const descriptors = chargedBy(rules(), overrides, request);
      if ('mistake' in descriptors) throw new CallError(status.INVALID_ARGUMENT, descriptors.mistake);
      return answerTo(request.domain, descriptors, options);
    });
  };
  /** What a call that is not answered is told. */
  const statusOf = (error: unknown): CallStatus => {
    const { message: details } = error as Error;
    if (error instanceof Refusal) return { code: status.UNAUTHENTICATED, details };
    if (error instanceof CallError) {
      if (error.code === status.INVALID_ARGUMENT) onMistake();
      return { code: error.code, details };
    }
    onDefect(error);
    return { code: status.INTERNAL, details: 'A defect.' };
  };
  const handle = (call: ServerUnaryCall<Asked, RlsResponse>, respond: sendUnaryData<RlsResponse>): void => {
    answer(call.request, call.metadata.get('authorization')[0]?.toString(), () => call.cancelled).then(
      (response) => respond(null, response),
      (error) => respond(statusOf(error)),
    );
  };

  const server = new Server({
    'grpc.enable_channelz': 0,
    'grpc.max_receive_message_length': messageBytesMax,
    'grpc.max_concurrent_streams': callsMax,
    'grpc.keepalive_time_ms': pingAfterMs,
    'grpc.keepalive_timeout_ms': pongMsMax,
  });
  const path = `/${rlsServiceName}/ShouldRateLimit`;
  server.register(path, handle, bytesOfResponse, requestIn, 'unary');
  const health = new Health([rlsServiceName]);
  server.addService(health.definition, health.methods);
  new ReflectionService(loadProtocol()).addToServer(server);
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const http2 = http2ServerOf(server);
  answerPlainly<Asked, RlsResponse>(http2, {
    path,
    messageBytesMax,
    requestIn,
    bytesOf: bytesOfResponse,
    answer: (request, call) => answer(request, call.headers.authorization, () => call.isOver),
    statusOf,
  });
  const connections = new Connections(http2, keepAliveTimeoutMs);

  return {
    name: 'grpc',
    accept: (socket) => injector.injectConnection(socket),
    async close(graceMs) {
      health.stop();
      await connections.close(graceMs);
      server.forceShutdown();
    },
  };
}
