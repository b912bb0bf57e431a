// Envoy with its rate limit filter, by the recipe of the service's README. Only the addresses are a test's own, and the time
// that the limiter has where a test is about something else.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Addresses, installed, type Proxy as ProxyProgram, recipeOf } from './proxies.ts';

export interface EnvoyOptions {
  /** Where it tells of itself. */
  readonly adminPort: number;
  /** Instead of the time in the recipe. */
  readonly timeout?: string;
}

export function envoyWith({ adminPort, timeout }: EnvoyOptions): ProxyProgram {
  return {
    name: 'Envoy',
    programs: ['envoy', join(installed, 'envoy')],
    versionArgs: ['--version'],
    configure(dir, addresses) {
      const recipe = withAddresses(recipeOf('yaml', 'envoy.filters.http.ratelimit'), addresses);
      const admin = `admin: {address: {socket_address: {address: 127.0.0.1, port_value: ${adminPort}}}}\n`;
      const file = join(dir, 'envoy.yaml');
      writeFileSync(file, admin + (timeout ? recipe.replace('timeout: 0.02s', `timeout: ${timeout}`) : recipe));
      return ['-c', file, '--concurrency', '1', '--disable-hot-restart', '-l', 'error'];
    },
  };
}

function withAddresses(recipe: string, { port, limiter, api }: Addresses): string {
  const at = (address: string) => {
    const [host, portOfHost] = address.split(':');
    return `address: ${host}, port_value: ${portOfHost}`;
  };
  return recipe
    .replace('address: 0.0.0.0, port_value: 80', at(`127.0.0.1:${port}`))
    .replace('address: limiter, port_value: 8081', at(limiter))
    .replace('address: api, port_value: 8080', at(api));
}

/** How often Envoy's filter did what its statistics are called: `ok`, `over_limit`, `error`, `failure_mode_allowed`. */
export async function filterCounts(adminPort: number): Promise<Readonly<Record<string, number>>> {
  const text = await (await fetch(`http://127.0.0.1:${adminPort}/stats?filter=cluster.api.ratelimit`)).text();
  return Object.fromEntries(
    [...text.matchAll(/ratelimit\.(\w+): (\d+)/g)].map(([, name, count]) => [name as string, Number(count)]),
  );
}
