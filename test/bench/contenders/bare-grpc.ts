// What the service's gRPC is measured against: @grpc/grpc-js by itself, with the messages that its own tools make of
// Envoy's files. It answers every request at once, and the same.

import { createServer } from 'node:http';
import { Server, ServerCredentials, type ServiceDefinition, type sendUnaryData } from '@grpc/grpc-js';
import { loadProtocol, rlsServiceName } from '../../../service/doors/rls/protocol.ts';

const answer = {
  overall_code: 'OK',
  statuses: [
    {
      code: 'OK',
      current_limit: { requests_per_unit: 1_000_000, unit: 'MINUTE' },
      limit_remaining: 999_999,
      duration_until_reset: { seconds: 1 },
    },
  ],
};

const server = new Server();
server.addService(loadProtocol()[rlsServiceName] as ServiceDefinition, {
  ShouldRateLimit: (_call: unknown, respond: sendUnaryData<typeof answer>) => respond(null, answer),
});
server.bindAsync(`127.0.0.1:${process.env.GRPC_PORT}`, ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
  createServer((_request, response) => response.end('ready')).listen(Number(process.env.PORT), '127.0.0.1');
});
