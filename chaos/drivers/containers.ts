// The containers driver: everything is a container on a network of its own, started by testcontainers.
//
// Ports are published on loopback only. All that is created bears the run's label and is removed by it, in one go.

import { RedisContainer } from '@testcontainers/redis';
import { ToxiProxyContainer } from '@testcontainers/toxiproxy';
import { GenericContainer, Network, type StartedTestContainer, Wait } from 'testcontainers';
import { prometheusConfig } from '../../prometheus/native.ts';
import type { Driver, Environment, EnvironmentOptions, Instance } from '../environment.ts';
import { LabError } from '../errors.ts';
import { controlName } from '../scenario.ts';
import { ToxiproxyApi } from '../toxiproxy.ts';
import { UndoLog } from '../undo.ts';
import { type Engine, findEngine, removeLabelled, runLabel } from './engine.ts';
import { fetchImage, imageOf, limiterImage } from './images.ts';
import {
  addressOf,
  limiterPort,
  listenOn,
  prometheusPort,
  redisIn,
  redisPort,
  storeLink,
  toxiproxyPort,
  urlOf,
} from './links.ts';
import { versionsOf } from './versions.ts';
import { ContainerWatch } from './watch.ts';

const startMsMax = 60_000;

/** The n-th instance's links, by the ports of Toxiproxy's container; the last port leads straight to Redis. */
const links = [
  { name: 'limiter-1', redis: 'redis', front: 8666, store: 8669 },
  { name: 'limiter-2', redis: 'redis', front: 8667, store: 8670 },
  { name: controlName, redis: 'redis-control', front: 8668, store: 8671 },
] as const;
const labPort = 8672;
const linkPorts = [...links.flatMap(({ front, store }) => [front, store]), labPort];

export const containers: Driver = async (options) => {
  if (options.limiterMain)
    throw new LabError('The containers driver runs images, not files. Name one with LIMITER_IMAGE');
  const engine = await findEngine();
  const label = await runLabel(engine);
  const undo = new UndoLog();
  undo.labelled(label);
  await using started = new AsyncDisposableStack();
  started.defer(() => undo.done());
  started.defer(async () => {
    await removeLabelled(engine, label);
  });
  const environment = await startAll(engine, started, options);
  const all = started.move();
  return { ...environment, [Symbol.asyncDispose]: () => all.disposeAsync() };
};

async function startAll(
  engine: Engine,
  started: AsyncDisposableStack,
  { service, logs }: EnvironmentOptions,
): Promise<Omit<Environment, typeof Symbol.asyncDispose>> {
  const [image] = await Promise.all([
    limiterImage(engine),
    fetchImage(engine, imageOf('REDIS_IMAGE'), 'REDIS_IMAGE'),
    fetchImage(engine, imageOf('TOXIPROXY_IMAGE'), 'TOXIPROXY_IMAGE'),
    fetchImage(engine, imageOf('PROMETHEUS_IMAGE'), 'PROMETHEUS_IMAGE'),
  ]);
  const watch = started.use(await ContainerWatch.start(engine, logs));
  const network = await new Network().start();

  const start = async (name: string, container: GenericContainer): Promise<StartedTestContainer> => {
    container.withNetwork(network).withNetworkAliases(name).withStartupTimeout(startMsMax);
    container.withDroppedCapabilities('ALL').withSecurityOpt('no-new-privileges');
    let running: StartedTestContainer;
    try {
      running = await container.start();
    } catch (error) {
      throw new LabError(`${name} cannot be started: ${(error as Error).message.split('\n')[0]}`);
    }
    await watch.add(name, running.getId());
    return running;
  };
  const inspect = (container: StartedTestContainer) => engine.dockerode.getContainer(container.getId()).inspect();

  const [toxiproxy, redis] = await Promise.all([
    start('toxiproxy', new Toxiproxy(imageOf('TOXIPROXY_IMAGE'))),
    start('redis', new Redis(imageOf('REDIS_IMAGE'))),
    start('redis-control', new Redis(imageOf('REDIS_IMAGE'))),
  ]);
  const ports = await inspect(toxiproxy);
  const api = new ToxiproxyApi(urlOf(await addressOf(engine, ports, toxiproxyPort)));
  for (const { name, redis, front, store } of links) {
    await api.createProxy(`${name}-store`, `${redis}:${redisPort}`, listenOn(store));
    await api.createProxy(`${name}-front`, `${name}:${limiterPort}`, listenOn(front));
  }
  await api.createProxy('lab', `redis:${redisPort}`, listenOn(labPort));

  const startInstance = async ({ name, front, store }: (typeof links)[number]) => {
    const environment = { ...service, REDIS_ADDR: `toxiproxy:${store}` };
    const limiter = await start(name, new Limiter(image).withEnvironment(environment));
    const url = urlOf(await addressOf(engine, await inspect(limiter), limiterPort));
    const instance: Instance = {
      name,
      control: name === controlName,
      frontUrl: urlOf(await addressOf(engine, ports, front)),
      url,
      storeLink: await storeLink(engine, ports, `${name}-store`, store),
    };
    return { id: limiter.getId(), instance };
  };
  const limiters = await Promise.all(links.map(startInstance));
  const prometheus = await inspect(await start('prometheus', new Prometheus(imageOf('PROMETHEUS_IMAGE'))));
  const prometheusUrl = urlOf(await addressOf(engine, prometheus, prometheusPort));

  return {
    driver: 'containers',
    instances: limiters.map(({ instance }) => instance),
    toxiproxy: api,
    redis: redisIn(engine.dockerode.getContainer(redis.getId()), watch, await addressOf(engine, ports, labPort)),
    prometheusUrl,
    versions: await versionsOf(engine, {
      limiter: limiters[0]?.id ?? '',
      redis: redis.getId(),
      toxiproxy: api,
      prometheusUrl,
    }),
    broken: watch.broken,
  };
}

/** What testcontainers does not let one say from outside: on loopback only, and no port that nobody needs. */
function confine(hostConfig: GenericContainer['hostConfig'], ports: readonly number[]): void {
  hostConfig.PortBindings = Object.fromEntries(
    ports.map((port) => [`${port}/tcp`, [{ HostIp: '127.0.0.1', HostPort: '0' }]]),
  );
}

class Redis extends RedisContainer {
  constructor(image: string) {
    super(image);
    this.withUser('999:999').withCommand(['redis-server', '--save', '', '--appendonly', 'no']);
  }
  protected override async beforeContainerCreated() {
    confine(this.hostConfig, []);
  }
}

class Toxiproxy extends ToxiProxyContainer {
  constructor(image: string) {
    super(image);
    this.withUser('65534:65534').withEnvironment({ LOG_LEVEL: 'error' });
    this.withCommand(['-host=0.0.0.0', '-proxy-metrics', '-runtime-metrics']);
  }
  protected override async beforeContainerCreated() {
    confine(this.hostConfig, [toxiproxyPort, ...linkPorts]);
  }
}

class Limiter extends GenericContainer {
  constructor(image: string) {
    super(image);
    this.withExposedPorts(limiterPort);
    const usesRedis = (body: string) => body.includes('"mechanism":"redis"');
    this.withWaitStrategy(Wait.forHttp('/readyz', limiterPort).forResponsePredicate(usesRedis));
  }
  protected override async beforeContainerCreated() {
    confine(this.hostConfig, [limiterPort]);
    this.hostConfig.ReadonlyRootfs = true;
    this.hostConfig.Init = true;
    this.createOpts.Healthcheck = { Test: ['NONE'] }; // a process started every few seconds would be measured too
  }
}

class Prometheus extends GenericContainer {
  constructor(image: string) {
    super(image);
    const targets = links.map(({ name }) => ({ job: 'limiter', address: `${name}:${limiterPort}`, instance: name }));
    const toxiproxy = { job: 'toxiproxy', address: `toxiproxy:${toxiproxyPort}`, instance: 'toxiproxy' };
    const target = '/etc/prometheus/prometheus.yml';
    this.withCopyContentToContainer([{ content: prometheusConfig([...targets, toxiproxy]), target }]);
    this.withExposedPorts(prometheusPort).withWaitStrategy(Wait.forHttp('/-/ready', prometheusPort));
  }
  protected override async beforeContainerCreated() {
    confine(this.hostConfig, [prometheusPort]);
  }
}
