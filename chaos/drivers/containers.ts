// The containers driver: everything is a container on a network of its own, started by testcontainers.
//
// Ports are published on loopback only. All that is created bears the run's label and is removed by it, in one go.

import type { GenericContainer, StartedTestContainer } from 'testcontainers';
import { until } from '../clock.ts';
import type { Driver, Environment, EnvironmentOptions, Instance, RedisHandle, StoreLink } from '../environment.ts';
import { LabError, UsageError } from '../errors.ts';
import { type Engine, findEngine, freshLabel, type Label, removeLabelled } from '../host/engine.ts';
import { tailOf } from '../host/processes.ts';
import { ToxiproxyApi } from '../host/toxiproxy.ts';
import { UndoLog } from '../host/undo-log.ts';
import { controlName, limiterNames } from '../scenario.ts';
import { ReadyLook } from '../targets/first-look.ts';
import { isOwn } from '../targets/index.ts';
import type { Target } from '../targets/target.ts';
import { Limiter, Prometheus, Redis, Toxiproxy } from './container-parts.ts';
import { startTopology, wayCounts } from './containers-topology.ts';
import { fetchImage, imageOf, limiterImage } from './images.ts';
import { serveTo } from './lab-target.ts';
import {
  addressOf,
  answers,
  limiterPort,
  listenOn,
  prometheusPort,
  redisPort,
  storeLink,
  toxiproxyPort,
  urlOf,
} from './links.ts';
import { adminOf, commandTo } from './redis-node.ts';
import { ordersTo, supervisedRedis } from './supervised.ts';
import { variablesOf } from './variables.ts';
import { versionsOf } from './versions.ts';
import { ContainerWatch } from './watch.ts';

const startMsMax = 60_000;
/** The n-th instance's links, by the ports of Toxiproxy's container. */
const links = [...limiterNames, controlName].map((name, i) => ({
  name,
  front: 8666 + i,
  frontProxy: `${name}-front`,
  store: 8669 + i,
}));
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
    limiterImage(engine, target),
    fetchImage(engine, imageOf('REDIS_IMAGE'), 'REDIS_IMAGE'),
    fetchImage(engine, imageOf('TOXIPROXY_IMAGE'), 'TOXIPROXY_IMAGE'),
    fetchImage(engine, imageOf('PROMETHEUS_IMAGE'), 'PROMETHEUS_IMAGE'),
  ]);
  const port = 'port' in target.start ? target.start.port : limiterPort;
  const watch = started.use(await ContainerWatch.start(engine, logs));
  const network = `failopen-${label.value}`;
  const labels = { [label.name]: label.value };
  await engine.dockerode.createNetwork({ Name: network, Driver: 'bridge', CheckDuplicate: true, Labels: labels });

  const start = async (name: string, container: GenericContainer, mayEnd = false): Promise<StartedTestContainer> => {
    container.withLabels(labels).withNetworkMode(network).withNetworkAliases(name).withStartupTimeout(startMsMax);
    container.withDroppedCapabilities('ALL').withSecurityOpt('no-new-privileges');
    let running: StartedTestContainer;
    try {
      running = await container.start();
    } catch (error) {
      throw new LabError(`${name} cannot be started: ${(error as Error).message.split('\n')[0]}`);
    }
    const watched = watch.add(name, running.getId());
    if (mayEnd) watch.expectEnd(running.getId());
    await watched;
    return running;
  };
  const inspect = (container: StartedTestContainer) => engine.dockerode.getContainer(container.getId()).inspect();

  const labPorts = Array.from({ length: wayCounts[topology] }, (_, i) => labPort + i);
  const toxiproxy = new Toxiproxy(imageOf('TOXIPROXY_IMAGE'), [...linkPorts, ...labPorts]);
  const ports = await inspect(await start('toxiproxy', toxiproxy));
  const api = new ToxiproxyApi(urlOf(await addressOf(engine, ports, toxiproxyPort)));
  for (const { name, front, frontProxy } of links)
    await api.createProxy(frontProxy, `${name}:${port}`, listenOn(front));
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
    const way = await openWay(name, upstream);
    await answers(name, way);
    const admin = await adminOf(way.host, way.port);
    started.defer(() => admin.disconnect());
    return {
      redis: {
        ...supervisedRedis(name, orders, way),
        command: commandTo({ address: `${way.host}:${way.port}`, admin }),
      },
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
    const { name, front, frontProxy } = link;
    const way = await (name === controlName ? controlRedis : redis).wayFrom(link);
    const told = { ...service, HOST: '0.0.0.0', PORT: String(port), ...way.env };
    const container = new Limiter(image, port).withEnvironment(variablesOf(target, told));
    const limiter = await start(name, container, !isOwn(target));
    const id = limiter.getId();
    const url = urlOf(await addressOf(engine, await inspect(limiter), port));
    const runs = () => inspect(limiter).then(({ State }) => State.Running);
    const look = new ReadyLook(target, url);
    if (!(await isReadyInTime(look, runs))) throw notReady(name, target, look.why, watch.logOf(id));
    const instance: Instance = {
      name,
      control: name === controlName,
      frontUrl: urlOf(await addressOf(engine, ports, front)),
      frontProxy,
      url,
      storeLink: way.storeLink,
    };
    return { id, instance };
  };
  const labAddress = await serveTo(ports, labMetrics);
  // Side by side: Prometheus looks at what it is to scrape only 5 s after its own start.
  const [limiters, prometheus] = await Promise.all([
    Promise.all(links.map(startInstance)),
    start('prometheus', new Prometheus(imageOf('PROMETHEUS_IMAGE'), labAddress, port)).then(inspect),
  ]);
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

/** Whether the limiter is ready in time, and its container still `runs`. */
async function isReadyInTime(look: ReadyLook, runs: () => Promise<boolean>): Promise<boolean> {
  const ready = await until(startMsMax, 50, async () => {
    if (await look.isReady()) return true;
    return (await runs()) ? undefined : false;
  });
  return ready === true;
}

/** `did`: at the last look. `log` took its output. */
function notReady(name: string, target: Target, did: string, log: string): Error {
  const why = `${name} ${did}. Its last output: ${tailOf(log)}`;
  return isOwn(target) ? new LabError(why) : new UsageError(`The target ${target.name} cannot be judged: ${why}`);
}
