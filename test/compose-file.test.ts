// What docker-compose.yml lets out of its containers, read from the file: no Docker is needed.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { projectDirectory } from './support/lab-processes.ts';

interface Service {
  readonly ports?: readonly string[];
  readonly command?: string | readonly string[];
  readonly volumes?: readonly string[];
  readonly privileged?: boolean;
  readonly network_mode?: string;
}

const services: Readonly<Record<string, Service>> = parse(
  readFileSync(join(projectDirectory, 'docker-compose.yml'), 'utf8'),
  { merge: true, maxAliasCount: -1 },
).services;
const each = Object.entries(services);

describe('the Compose file', () => {
  it('publishes every port on loopback alone', () => {
    const ports = each.flatMap(([name, service]) => (service.ports ?? []).map((port) => [name, port] as const));
    expect(ports.length).toBeGreaterThan(10);
    expect(ports.filter(([, port]) => !/^127\.0\.0\.1:(\$\{\w+:-\d+\}|\d*):\d+$/.test(port))).toEqual([]);
  });

  it('lets nobody stop Prometheus, load its configuration anew, delete its data or write to it', () => {
    const flags = [services.prometheus?.command ?? []].flat();
    expect(flags.length).toBeGreaterThan(0);
    expect(flags.filter((flag) => /^--web\.enable|remote-write-receiver/.test(flag))).toEqual([]);
  });

  it('gives no container the host: its network, its rights, or the engine’s socket', () => {
    const offenders = each.filter(
      ([, { privileged, network_mode, volumes = [] }]) =>
        privileged || network_mode === 'host' || volumes.some((volume) => volume.includes('docker.sock')),
    );
    expect(offenders.map(([name]) => name)).toEqual([]);
  });
});
