// The containers driver: everything is a container on a network of its own, started by testcontainers.
//
// Ports are published on loopback only. All that is created bears the run's label and is removed by it, in one go.

import { basename, posix } from 'node:path';
import { RedisContainer } from '@testcontainers/redis';
import { ToxiProxyContainer } from '@testcontainers/toxiproxy';
import { GenericContainer, type StartedTestContainer, Wait } from 'testcontainers';
import { labRules, prometheusConfig } from '../../prometheus/native.ts';
import { limiterJob } from '../../prometheus/rules.ts';
import type { Driver, Environment, EnvironmentOptions, Instance, RedisHandle, StoreLink } from '../environment.ts';
import { LabError } from '../errors.ts';
import { type Engine, findEngine, freshLabel, type Label, removeLabelled, weight } from '../host/engine.ts';
import { ToxiproxyApi } from '../host/toxiproxy.ts';
import { UndoLog } from '../host/undo-log.ts';
import { controlName, limiterNames } from '../scenario.ts';
import { holds } from '../targets/answers.ts';
import type { Target } from '../targets/target.ts';
import { startTopology, wayCounts } from './containers-topology.ts';
import { fetchImage, imageOf, limiterImage } from './images.ts';
import { labInstance, serveTo } from './lab-target.ts';
import {
  addressOf,
  limiterPort,
  listenOn,
  prometheusPort,
  redisPort,
  storeLink,
  toxiproxyPort,
  urlOf,
} from './links.ts';
import { ordersTo, redisCommand, supervisedRedis, supervisor } from './supervised.ts';
import { versionsOf } from './versions.ts';
import { ContainerWatch } from './watch.ts';

const startMsMax = 60_000;
/** Of Prometheus, in its container. */
const configDirectory = '/etc/prometheus';

/** The n-th instance's links, by the ports of Toxiproxy's container. */
const links = [...limiterNames, controlName].map((name, i) => ({ name, front: 8666 + i, store: 8669 + i }));
/** The first of those that lead the lab straight to each Redis. */
const labPort = 8672;
const linkPorts = links.flatMap(({ front, store }) => [front, store]);

type Link = (typeof links)[number];

/** A Redis of one or more containers, and what tells an instance the way to it. */
interface Store {
  readonly redis: RedisHandle;
  /** Of a container of it. */
  readonly id: string;
  wayFrom(link: Link): Promise<{ env: Readonly<Record<string, string>>; storeLink: StoreLink }>;
}

export const containers: Driver = async (options) => {
  if (options.limiterMain)
    throw new LabError('The containers driver runs images, not files. Name one with LIMITER_IMAGE');
  const engine = await findEngine();
  const label = freshLabel();
  const undo = new UndoLog();
  undo.labelled(label);
  await using started = new AsyncDisposableStack();
  started.defer(() => undo.done());
  started.defer(async () => {
    await removeLabelled(engine, label);
  });
  const environment = await startAll(engine, label, started, options);
  const all = started.move();
  return { ...environment, [Symbol.asyncDispose]: () => all.disposeAsync() };
};

async function startAll(
  engine: Engine,
  label: Label,
  started: AsyncDisposableStack,
  { topology, service, target, logs, labMetrics }: EnvironmentOptions,
): Promise<Omit<Environment, typeof Symbol.asyncDispose>> {
  const [image] = await Promise.all([
    limiterImage(engine),
    fetchImage(engine, imageOf('REDIS_IMAGE'), 'REDIS_IMAGE'),
    fetchImage(engine, imageOf('TOXIPROXY_IMAGE'), 'TOXIPROXY_IMAGE'),
    fetchImage(engine, imageOf('PROMETHEUS_IMAGE'), 'PROMETHEUS_IMAGE'),
  ]);
  const watch = started.use(await ContainerWatch.start(engine, logs));
  const network = `failopen-${label.value}`;
  const labels = { [label.name]: label.value };
  await engine.dockerode.createNetwork({ Name: network, Driver: 'bridge', CheckDuplicate: true, Labels: labels });

  const start = async (name: string, container: GenericContainer): Promise<StartedTestContainer> => {
    container.withLabels(labels).withNetworkMode(network).withNetworkAliases(name).withStartupTimeout(startMsMax);
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

  const labPorts = Array.from({ length: wayCounts[topology] }, (_, i) => labPort + i);
  const toxiproxy = new Toxiproxy(imageOf('TOXIPROXY_IMAGE'), [...linkPorts, ...labPorts]);
  const ports = await inspect(await start('toxiproxy', toxiproxy));
  const api = new ToxiproxyApi(urlOf(await addressOf(engine, ports, toxiproxyPort)));
  for (const { name, front } of links)
    await api.createProxy(`${name}-front`, `${name}:${limiterPort}`, listenOn(front));
  let ways = 0;
  const openWay = async (name: string, upstream: string) => {
    const port = labPort + ways++;
    await api.createProxy(`lab-${name}`, upstream, listenOn(port));
    return addressOf(engine, ports, port);
  };

  const startSingle = async (name: string): Promise<Store> => {
    const id = (await start(name, new Redis(imageOf('REDIS_IMAGE')))).getId();
    const orders = await ordersTo(engine.dockerode.getContainer(id));
    started.defer(() => {
      orders.end();
    });
    const upstream = `${name}:${redisPort}`;
    return {
      redis: supervisedRedis(name, orders, await openWay(name, upstream)),
      id,
      async wayFrom({ name: limiter, store }) {
        const proxy = `${limiter}-store`;
        await api.createProxy(proxy, upstream, listenOn(store));
        return { env: { REDIS_ADDR: `toxiproxy:${store}` }, storeLink: await storeLink(engine, ports, proxy, store) };
      },
    };
  };
  const startStore = async (name: string, replicated: boolean): Promise<Store> => {
    if (topology === 'single') return startSingle(name);
    const options = { engine, label, watch, network, openWay, started, name, replicated };
    const several = await startTopology[topology](options);
    return { ...several, wayFrom: async () => several };
  };
  const [redis, controlRedis] = await Promise.all([startStore('redis', true), startStore('redis-control', false)]);

  const startInstance = async (link: Link) => {
    const { name, front } = link;
    const way = await (name === controlName ? controlRedis : redis).wayFrom(link);
    const limiter = await start(name, new Limiter(image, target).withEnvironment({ ...service, ...way.env }));
    const url = urlOf(await addressOf(engine, await inspect(limiter), limiterPort));
    const instance: Instance = {
      name,
      control: name === controlName,
      frontUrl: urlOf(await addressOf(engine, ports, front)),
      url,
      storeLink: way.storeLink,
    };
    return { id: limiter.getId(), instance };
  };
  const limiters = await Promise.all(links.map(startInstance));
  const labAddress = await serveTo(ports, labMetrics);
  const prometheus = await inspect(await start('prometheus', new Prometheus(imageOf('PROMETHEUS_IMAGE'), labAddress)));
  const prometheusUrl = urlOf(await addressOf(engine, prometheus, prometheusPort));

  return {
    driver: 'containers',
    instances: limiters.map(({ instance }) => instance),
    toxiproxy: api,
    redis: redis.redis,
    prometheusUrl,
    versions: await versionsOf(engine, {
      limiter: limiters[0]?.id ?? '',
      redis: redis.id,
      toxiproxy: api,
      prometheusUrl,
    }),
    broken: watch.broken,
  };
}

/** What testcontainers does not let one say from outside: on loopback only, and no port that nobody needs. */
function confine(hostConfig: GenericContainer['hostConfig'], ports: readonly number[]): void {
  Object.assign(hostConfig, weight());
  hostConfig.PortBindings = Object.fromEntries(
    ports.map((port) => [`${port}/tcp`, [{ HostIp: '127.0.0.1', HostPort: '0' }]]),
  );
}

class Redis extends RedisContainer {
  constructor(image: string) {
    super(image);
    this.withUser('999:999').withEntrypoint(supervisor).withCommand(redisCommand());
  }
  protected override async beforeContainerCreated() {
    confine(this.hostConfig, []);
    this.createOpts.OpenStdin = true;
  }
}

class Toxiproxy extends ToxiProxyContainer {
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

class Limiter extends GenericContainer {
  constructor(image: string, { ready }: Target) {
    super(image);
    this.withExposedPorts(limiterPort);
    const [first] = ready;
    if (!first) return;
    const holdsOf = (body: string) => holds(first, { status: 200, header: () => undefined, body: () => body });
    this.withWaitStrategy(Wait.forHttp(first.path, limiterPort).forResponsePredicate(holdsOf));
  }
  protected override async beforeContainerCreated() {
    confine(this.hostConfig, [limiterPort]);
    this.hostConfig.ReadonlyRootfs = true;
    this.hostConfig.Init = true;
    this.createOpts.Healthcheck = { Test: ['NONE'] }; // a process started every few seconds would be measured too
  }
}

class Prometheus extends GenericContainer {
  constructor(image: string, labAddress: string) {
    super(image);
    const targets = links.map(({ name }) => ({
      job: name === controlName ? controlName : limiterJob, // as with the native driver, no part of the fleet
      address: `${name}:${limiterPort}`,
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
