// The program of the target `failopen-envoy`: an Envoy that listens for clients, an instance of this project's own limiter,
// and an API of its own. Envoy asks the limiter about `GET /`, and hands it everything else.
//
//   client ─▶ Envoy ─▶ API
//               └─ gRPC ─▶ limiter ─▶ Redis
//
// Envoy waits long for a limit, and refuses without one: so the lab sees how long it takes. All end with this process.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';

const { HOST: host = '127.0.0.1', PORT: port, KEY_HEADER: keyHeader = 'x-key' } = process.env;
const project = join(import.meta.dirname, '..', '..');

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const children: ChildProcess[] = [];

/** Its end is this process's, and this process's end its own. */
function start(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): void {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], { env, stdio: 'inherit' });
  child.on('exit', () => process.exit(1));
  child.on('error', () => process.exit(1));
  children.push(child);
}

const cluster = (name: string, clusterPort: number, isGrpc = false) => ({
  name,
  type: 'STATIC',
  load_assignment: {
    cluster_name: name,
    endpoints: [{ lb_endpoints: [{ endpoint: { address: addressOf('127.0.0.1', clusterPort) } }] }],
  },
  ...(isGrpc && {
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
  }),
});

function addressOf(address: string, portValue: number) {
  return { socket_address: { address, port_value: portValue } };
}

const filters = 'type.googleapis.com/envoy.extensions.filters';
const rateLimit = {
  '@type': `${filters}.http.ratelimit.v3.RateLimit`,
  domain: 'lab',
  timeout: '5s',
  failure_mode_deny: true,
  enable_x_ratelimit_headers: 'DRAFT_VERSION_03',
  rate_limit_service: { transport_api_version: 'V3', grpc_service: { envoy_grpc: { cluster_name: 'limiter' } } },
};
const byKey = [{ actions: [{ request_headers: { header_name: keyHeader, descriptor_key: 'key' } }] }];
const connectionManager = {
  '@type': `${filters}.network.http_connection_manager.v3.HttpConnectionManager`,
  stat_prefix: 'lab',
  http_filters: [
    { name: 'envoy.filters.http.ratelimit', typed_config: rateLimit },
    { name: 'envoy.filters.http.router', typed_config: { '@type': `${filters}.http.router.v3.Router` } },
  ],
  route_config: {
    virtual_hosts: [
      {
        name: 'lab',
        domains: ['*'],
        routes: [
          { match: { path: '/' }, route: { cluster: 'api', rate_limits: byKey } },
          { match: { prefix: '/' }, route: { cluster: 'pages' } },
        ],
      },
    ],
  },
};

const installed = ['envoy', join(project, '.lab', 'proxies', 'bin', 'envoy')];
const envoy = installed.find((program) => spawnSync(program, ['--version']).status === 0);
if (envoy === undefined) {
  process.stderr.write(`There is no Envoy, neither ${installed.join(' nor ')}.\n`);
  process.exit(1);
}

const api = createServer((_request, response) => response.end('Request successful!'));
api.keepAliveTimeout = 0; // Envoy has no timeout of its own: a request could cross the closing, and be answered 503
const [apiPort, pagesPort, grpcPort] = [await portOf(api), await freePort(), await freePort()];
const directory = mkdtempSync(join(tmpdir(), 'failopen-envoy-'));
const file = join(directory, 'envoy.json');
const config = {
  static_resources: {
    listeners: [
      {
        address: addressOf(host, Number(port)),
        filter_chains: [
          { filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: connectionManager }] },
        ],
      },
    ],
    clusters: [cluster('api', apiPort), cluster('pages', pagesPort), cluster('limiter', grpcPort, true)],
  },
};
writeFileSync(file, JSON.stringify(config));
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});
process.on('SIGTERM', () => process.exit(0));
start(process.execPath, [join(project, 'service', 'main.ts')], {
  ...process.env,
  PORT: String(pagesPort),
  GRPC_PORT: String(grpcPort),
});
start(envoy, ['-c', file, '--concurrency', '1', '--disable-hot-restart', '-l', 'error']);
