// The containers of a run as testcontainers makes them, each confined to what its part needs.

import { basename, posix } from 'node:path';
import { RedisContainer } from '@testcontainers/redis';
import { ToxiProxyContainer } from '@testcontainers/toxiproxy';
import { GenericContainer, Wait } from 'testcontainers';
import { labRules, prometheusConfig } from '../../prometheus/native.ts';
import { limiterJob } from '../../prometheus/rules.ts';
import { weight } from '../host/engine.ts';
import { controlName, limiterNames } from '../scenario.ts';
import { labInstance } from './lab-target.ts';
import { prometheusPort, toxiproxyPort } from './links.ts';
import { redisCommand, supervisor } from './supervised.ts';

/** Of Prometheus, in its container. */
const configDirectory = '/etc/prometheus';

/** What testcontainers does not let one say from outside: on loopback only, and no port that nobody needs. */
function confine(hostConfig: GenericContainer['hostConfig'], ports: readonly number[]): void {
  Object.assign(hostConfig, weight());
  hostConfig.PortBindings = Object.fromEntries(
    ports.map((port) => [`${port}/tcp`, [{ HostIp: '127.0.0.1', HostPort: '0' }]]),
  );
}

export class Redis extends RedisContainer {
  constructor(image: string) {
    super(image);
    this.withUser('999:999').withEntrypoint(supervisor).withCommand(redisCommand());
  }
  protected override async beforeContainerCreated() {
    confine(this.hostConfig, []);
    this.createOpts.OpenStdin = true;
  }
}

export class Toxiproxy extends ToxiProxyContainer {
  readonly #ports: readonly number[];

  constructor(image: string, ports: readonly number[]) {
    super(image);
    this.#ports = ports;
    this.withUser('65534:65534').withEnvironment({ LOG_LEVEL: 'error' });
    this.withCommand(['-host=0.0.0.0', '-proxy-metrics', '-runtime-metrics']);
  }
  protected override async beforeContainerCreated() {
    confine(this.hostConfig, [toxiproxyPort, ...this.#ports]);
  }
}

export class Limiter extends GenericContainer {
  readonly #port: number;

  constructor(image: string, port: number) {
    super(image);
    this.#port = port;
    this.withExposedPorts(port).withWaitStrategy(Wait.forAll([])); // whoever starts it asks it itself
  }
  protected override async beforeContainerCreated() {
    confine(this.hostConfig, [this.#port]);
    this.hostConfig.ReadonlyRootfs = true;
    this.hostConfig.Init = true;
    this.createOpts.Healthcheck = { Test: ['NONE'] }; // a process started every few seconds would be measured too
  }
}

export class Prometheus extends GenericContainer {
  constructor(image: string, labAddress: string, port: number) {
    super(image);
    const targets = [...limiterNames, controlName].map((name) => ({
      job: name === controlName ? controlName : limiterJob, // as with the native driver, no part of the fleet
      address: `${name}:${port}`,
      instance: name,
    }));
    const toxiproxy = { job: 'toxiproxy', address: `toxiproxy:${toxiproxyPort}`, instance: 'toxiproxy' };
    const lab = { job: 'lab', address: labAddress, instance: labInstance };
    const content = prometheusConfig([...targets, toxiproxy, lab], basename(labRules));
    this.withCopyContentToContainer([{ content, target: posix.join(configDirectory, 'prometheus.yml') }]);
    this.withCopyFilesToContainer([{ source: labRules, target: posix.join(configDirectory, basename(labRules)) }]);
    this.withExposedPorts(prometheusPort).withWaitStrategy(Wait.forHttp('/-/ready', prometheusPort));
  }
  protected override async beforeContainerCreated() {
    confine(this.hostConfig, [prometheusPort]);
  }
}
