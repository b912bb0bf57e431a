// The compose driver: attaches to this project's stack, which somebody else has brought up. It stops and starts nothing
// that an experiment does not break, but for the control arm, which it brings up beside the stack and takes away again:
// a copy of the first limiter with a Redis of its own. While a run lasts the stack's Prometheus scrapes the lab too.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { serviceDefaults } from '../bounds.ts';
import { until } from '../clock.ts';
import type { Driver, Environment, EnvironmentOptions, Instance } from '../environment.ts';
import { LabError } from '../errors.ts';
import {
  type Container,
  type Engine,
  findEngine,
  freshLabel,
  type Inspection,
  type Label,
  publishedPort,
  removeLabelled,
} from '../host/engine.ts';
import { settingsOf } from '../host/stack-redis.ts';
import { ToxiproxyApi } from '../host/toxiproxy.ts';
import { UndoLog } from '../host/undo-log.ts';
import { controlName, limiterNames } from '../scenario.ts';
import { ReadyLook } from '../targets/first-look.ts';
import type { Target } from '../targets/target.ts';
import { findStack, type Service, services, upCommand } from './compose-stack.ts';
import { serveTo, targetDirectory, writeTarget } from './lab-target.ts';
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
import { adminOf, commandTo } from './redis-node.ts';
import { versionsOf } from './versions.ts';
import { ContainerWatch } from './watch.ts';

const readyMs = 30_000;
/** More than the interval of its health check. */
const healthMsMax = 30_000;

/**
 * From the moment that a target's file is there until Prometheus scrapes the target: it takes note of files at once, but
 * of targets every 5 s, and of what to scrape every 5 s again.
 */
const firstScrapeMsMax = 12_000;
/** A scrape of what the run has ended with: more than the interval between two. */
const lastScrapeMsMax = 2000;

/** As in chaos/drivers/toxiproxy.json and docker-compose.yml. The control's are created for the run. */
const links = ([...limiterNames, controlName] as const).map((name, i) => ({
  name,
  front: 18080 + i,
  store: 16379 + i,
}));
const controlLink = links.at(-1) as (typeof links)[number];
const labPort = 16382;
const controlRedis = 'redis-control';
const stores = limiterNames.map((name) => `${name}-store`);
const ownProxies = [`${controlName}-store`, `${controlName}-front`, 'lab'];

type Inspections = Readonly<Record<Service, Inspection>>;

export const compose: Driver = async (options) => {
  if (options.limiterMain) throw new LabError('The compose driver starts no limiters: it takes the ones that are up');
  const stack = await findStack();
  if (stack.state === 'unusable') throw new LabError(capitalised(stack.why));
  const engine = await findEngine();
  const inspected = await Promise.all(
    services.map(async (name) => [name, await engine.dockerode.getContainer(stack.ids[name]).inspect()] as const),
  );
  const parts = Object.fromEntries(inspected) as Inspections;
  for (const name of limiterNames) checkSettings(name, parts[name], options.service);
  const toxiproxyUrl = urlOf(await addressOf(engine, parts.toxiproxy, toxiproxyPort));
  const toxiproxy = new ToxiproxyApi(toxiproxyUrl);
  await checkUntouched(toxiproxy);

  const label = freshLabel();
  const target = join(targetDirectory, `${label.value}.json`);
  const undo = new UndoLog();
  undo.file(target);
  undo.labelled(label);
  const published = publishedPort(parts.toxiproxy, toxiproxyPort); // a bridge's address may be another's tomorrow
  undo.toxiproxy(`http://127.0.0.1:${published}`, stores, ownProxies);
  undo.container('redis', parts.redis.Id, await settingsOf(engine, parts.redis.Id));
  await using started = new AsyncDisposableStack();
  started.defer(() => undo.done());
  started.defer(() => checkedAgain(engine.dockerode.getContainer(parts.redis.Id)));
  started.defer(async () => {
    await removeLabelled(engine, label);
  });
  started.defer(async () => {
    for (const name of ownProxies) await toxiproxy.removeProxy(name);
  });
  const { labMetrics } = options;
  const address = await serveTo(parts.prometheus, labMetrics);
  started.defer(() => rmSync(target, { force: true }));
  writeTarget(target, address);
  const firstScrape = labMetrics.scraped(firstScrapeMsMax);
  const environment = await attach(engine, parts, toxiproxy, label, started, options);
  if (await firstScrape) started.defer(() => labMetrics.scraped(lastScrapeMsMax).then(() => {}));
  else process.stderr.write(`Prometheus does not reach the lab at ${address}: the dashboard Chaos run stays empty.\n`);
  const all = started.move();
  return { ...environment, [Symbol.asyncDispose]: () => all.disposeAsync() };
};

async function attach(
  engine: Engine,
  parts: Inspections,
  toxiproxy: ToxiproxyApi,
  label: Label,
  started: AsyncDisposableStack,
  { logs, target }: EnvironmentOptions,
): Promise<Omit<Environment, typeof Symbol.asyncDispose>> {
  const watch = started.use(await ContainerWatch.start(engine, logs));
  for (const name of services) await watch.add(name, parts[name].Id);

  const { name, front, store } = controlLink;
  await toxiproxy.createProxy(`${name}-store`, `${controlRedis}:${redisPort}`, listenOn(store));
  await toxiproxy.createProxy(`${name}-front`, `${name}:${limiterPort}`, listenOn(front));
  await toxiproxy.createProxy('lab', `redis:${redisPort}`, listenOn(labPort));
  const [network] = Object.keys(parts.toxiproxy.NetworkSettings.Networks);
  if (!network) throw new LabError("The stack's toxiproxy has no network");
  const copy = async (of: Inspection, as: string, env: Record<string, string>) => {
    const container = await copyOf(engine, of, network, as, env, label);
    await watch.add(as, container.Id);
    return container;
  };
  await copy(parts.redis, controlRedis, {});
  const control = await copy(parts[limiterNames[0]], name, { REDIS_ADDR: `toxiproxy:${store}` });
  const limiters = { ...parts, [controlName]: control };

  const instanceOf = async ({ name, front, store }: (typeof links)[number]): Promise<Instance> => {
    const url = urlOf(await addressOf(engine, limiters[name], limiterPort));
    return {
      name,
      control: name === controlName,
      frontUrl: urlOf(await addressOf(engine, parts.toxiproxy, front)),
      url,
      storeLink: await storeLink(engine, parts.toxiproxy, `${name}-store`, store),
    };
  };
  const instances = await Promise.all(links.map(instanceOf));
  await Promise.all(instances.map((instance) => ready(instance, target)));
  const prometheusUrl = urlOf(await addressOf(engine, parts.prometheus, prometheusPort));
  const way = await addressOf(engine, parts.toxiproxy, labPort);
  const admin = await adminOf(way.host, way.port);
  started.defer(() => admin.disconnect());

  return {
    driver: 'compose',
    instances,
    toxiproxy,
    redis: {
      ...redisIn(engine.dockerode.getContainer(parts.redis.Id), watch, way),
      command: commandTo({ address: `${way.host}:${way.port}`, admin }),
    },
    prometheusUrl,
    versions: await versionsOf(engine, { limiter: control.Id, redis: parts.redis.Id, toxiproxy, prometheusUrl }),
    broken: watch.broken,
  };
}

/** The judge must know what the limiters were told, and here it is not the lab that tells them. */
function checkSettings(name: string, { Config }: Inspection, wanted: Readonly<Record<string, string>>): void {
  const actual = new Map(Config.Env.map((line) => [line.split('=', 1)[0] ?? '', line.slice(line.indexOf('=') + 1)]));
  const { LOG_LEVEL: _irrelevant, ...expected } = { ...serviceDefaults, ...wanted };
  const defaults: Readonly<Record<string, string>> = serviceDefaults;
  const different = Object.entries(expected).filter(([key, value]) => (actual.get(key) ?? defaults[key]) !== value);
  if (different.length === 0) return;
  const found = different.map(([key, value]) => `${key} is ${actual.get(key) ?? 'not set'}, not ${value}`).join('; ');
  const settings = different.map(([key, value]) => `${key}=${value}`).join(' ');
  throw new LabError(
    `${name} is not set as this experiment wants it: ${found}. Type: ${settings} ${upCommand}, or give its settings to npm run scenario`,
  );
}

/** Somebody else's experiment, or what one left behind. */
async function checkUntouched(toxiproxy: ToxiproxyApi): Promise<void> {
  const proxies = await toxiproxy.proxies();
  const missing = [...stores, ...limiterNames.map((name) => `${name}-front`)].filter((name) => !proxies.includes(name));
  if (missing.length > 0) throw new LabError(`Toxiproxy has no proxy ${missing.join(', ')}. Type: ${upCommand}`);
  for (const name of proxies) {
    const toxics = await toxiproxy.toxicsOf(name);
    const found = ownProxies.includes(name) ? 'another run has made it' : toxics.join(', ');
    if (found !== '') throw new LabError(`The proxy ${name} is in use: ${found}. Type: npm run heal`);
  }
}

/** Docker calls a container that was started again healthy after its next health check: a stack is left as it was found. */
async function checkedAgain(container: Container): Promise<void> {
  const health = () => container.inspect().then(({ State }) => State.Health?.Status);
  await until(healthMsMax, 200, async () => ((await health()) === 'starting' ? undefined : true)).catch(() => {}); // gone
}

/** A container like another one, under a name of its own on the network, with the run's label. */
async function copyOf(
  engine: Engine,
  { Config, HostConfig }: Inspection,
  network: string,
  name: string,
  env: Readonly<Record<string, string>>,
  label: Label,
): Promise<Inspection> {
  const container = await engine.dockerode.createContainer({
    Image: Config.Image,
    Cmd: Config.Cmd,
    User: Config.User,
    Env: [...Config.Env.filter((line) => !((line.split('=', 1)[0] ?? '') in env)), ...entries(env)],
    ExposedPorts: Config.ExposedPorts ?? {},
    Healthcheck: { Test: ['NONE'] },
    Labels: { [label.name]: label.value },
    HostConfig: { ...HostConfig, NetworkMode: network, PortBindings: onAnyPort(HostConfig.PortBindings) },
    NetworkingConfig: { EndpointsConfig: { [network]: { Aliases: [name] } } },
  });
  await container.start();
  return container.inspect();
}

/** The same ports of the container, on loopback ports that the engine chooses. */
function onAnyPort(bindings: unknown): Record<string, { HostIp: string; HostPort: string }[]> {
  const ports = Object.keys(bindings ?? {});
  return Object.fromEntries(ports.map((port) => [port, [{ HostIp: '127.0.0.1', HostPort: '0' }]]));
}

async function ready({ name, url }: Instance, target: Target): Promise<void> {
  const look = new ReadyLook(target, url);
  const isReady = await until(readyMs, 50, async () => ((await look.isReady()) ? true : undefined));
  if (!isReady)
    throw new LabError(`${name} does not decide by Redis: it ${look.why}. See: docker compose logs ${name}`);
}

function entries(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`);
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
