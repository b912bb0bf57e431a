// Has each door answer some requests before the first one of a client's: on real connections, before an engine of its own
// without Redis, so that nothing is counted and no bucket of a client's is touched.
//
// Otherwise the first client pays for compiling all that a request passes through: with gRPC up to 250 ms.

import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { type AddressInfo, connect, createServer } from 'node:net';
import { rulesOf } from './config/rls/rules.ts';
import type { DoorName } from './doors/door.ts';
import type { Policy } from './doors/policy.ts';
import { ProtoWriter } from './doors/rls/proto-writer.ts';
import { Engine, type EngineSettings } from './engine.ts';
import { type DoorsConfig, openDoors } from './open-doors.ts';

const ignore = () => {};

/** Connections to each door, one after another. */
const connections = 3;
const requestsPerConnection = 20;

/** Who is not answered for so long goes on without. */
const answerMsMax = 5000;

const word = 'warm-up';
const body = JSON.stringify({ key: word });
const ask: Readonly<Record<DoorName, (port: number) => Promise<void>>> = {
  http: (port) =>
    askInTurn(port, [
      'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n',
      `POST /v1/check HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    ]),
  resp: (port) => askInTurn(port, [`CL.THROTTLE ${word} 9 10 60\r\n`]),
  grpc: askByGrpc,
};
const rules = [
  { domain: word, descriptors: [{ key: word, rate_limit: { unit: 'second', requests_per_unit: 10 } }] },
] as const;

export interface WarmUpConfig extends DoorsConfig, Omit<EngineSettings, 'redis' | 'instances'> {
  readonly policies: readonly Policy[];
}

/** `onDecision`: told of each request that came as far as that. */
export async function warmUpDoors(config: WarmUpConfig, nowUs: () => number, onDecision = ignore): Promise<void> {
  const listener = {
    ...{ onDecision, onStoreAnswer: ignore, onStoreError: ignore, onBreaker: ignore },
    ...{ onCause: ignore, onEnd: ignore, onInstances: ignore, onForgiven: async () => {} },
  };
  const engine = new Engine({ ...config, redis: undefined, instances: 1 }, listener, nowUs);
  const itsRules = rulesOf(rules, config.policiesOptions);
  const doors = await openDoors(
    { ...config, tokens: {} },
    {
      ...{ limiter: engine.limiter, buckets: engine.buckets },
      ...{ policies: () => config.policies, rules: () => itsRules, hashKey: config.hashKey },
      ...{ top: async () => ({ keys: [], unlistedMax: 0 }), readiness: () => engine.readiness() },
      ...{ page: async () => '', pageContentType: 'text/plain' },
      ...{ onMistake: ignore, onDefect: ignore },
    },
  );
  for (const [name, door] of doors) {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => door.accept(socket));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    for (let i = 0; i < connections; i++) await ask[name](port);
    server.close();
    await door.close(0);
  }
  engine.close();
}

async function askInTurn(port: number, requests: readonly string[]): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const ended = once(socket, 'close');
  socket.setTimeout(answerMsMax, () => socket.destroy());
  for (let i = 0; i < requestsPerConnection; i++) {
    for (const request of requests) {
      socket.write(request);
      await Promise.race([once(socket, 'data'), ended]);
    }
  }
  socket.destroy();
  await ended;
}

async function askByGrpc(port: number): Promise<void> {
  const { rlsServiceName } = await import('./doors/rls/protocol.ts'); // as its door: only where that is open
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  session.setTimeout(answerMsMax, () => session.destroy());
  for (let i = 0; i < requestsPerConnection && !session.destroyed; i++) {
    const stream = session.request({
      ':method': 'POST',
      ':path': `/${rlsServiceName}/ShouldRateLimit`,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.resume().end(rlsRequest());
    await once(stream, 'close');
  }
  session.destroy();
}

/** One descriptor of one entry, as gRPC frames it. */
function rlsRequest(): Buffer {
  const writer = new ProtoWriter();
  writer.message(2, () =>
    writer.message(1, () => {
      writer.text(2, word);
      writer.text(1, word);
    }),
  );
  writer.text(1, word);
  const { written } = writer;
  const length = Buffer.alloc(5); // not compressed
  length.writeUInt32BE(written.length, 1);
  return Buffer.concat([length, written]);
}
