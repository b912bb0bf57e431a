// The native driver: everything is a child process on a free loopback port.
//
// Data lies in a temporary directory. Whatever is started is noted in the undo log first and ended here, by its id, in
// the opposite order.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prometheusConfig } from '../../prometheus/native.ts';
import { type Binary, binaries, find } from '../binaries.ts';
import type { Driver, Environment, EnvironmentOptions, Instance, RedisHandle } from '../environment.ts';
import { LabError } from '../errors.ts';
import { ping } from '../ping.ts';
import { freePort, LabProcess } from '../processes.ts';
import { controlName } from '../scenario.ts';
import { ToxiproxyApi } from '../toxiproxy.ts';
import { UndoLog } from '../undo.ts';
import { machine } from './versions.ts';

const readyMs = 10_000;
const loopback = '127.0.0.1';
const serviceMain = join(import.meta.dirname, '..', '..', 'service', 'main.ts');

export const native: Driver = async (options) => {
  const programs = await findAll();
  const started = new AsyncDisposableStack();
  try {
    return await startAll(programs, started, options);
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
};

/** Starts the parts, leaving on `started` how each is ended. */
async function startAll(
  programs: Programs,
  started: AsyncDisposableStack,
  { service, limiterMain, logs, labMetricsAddress }: EnvironmentOptions,
): Promise<Environment> {
  const undo = new UndoLog();
  started.defer(() => undo.done());
  const data = await mkdtemp(join(tmpdir(), 'failopen-'));
  undo.directory(data);
  started.defer(() => rm(data, { recursive: true, force: true }));

  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => {}); // whoever runs an experiment listens; a start that fails has its own error
  let ending = false;
  started.defer(() => {
    ending = true;
  });
  /** Starts a process that is missed when it ends by itself, unless it is expected to. */
  const start = async (name: string, command: string, args: string[], env: Record<string, string> = {}) => {
    const process = await LabProcess.start({ name, command, args, env, log: join(logs, `${name}.log`), undo });
    started.defer(() => {
      ending = true;
      return process.stop();
    });
    return process;
  };
  const watch = (process: LabProcess, isExpected: () => boolean) => {
    process.exited.then((end) => {
      if (!ending && !isExpected()) broken.reject(new LabError(`${process.name} ${end} in mid-run: ${process.tail()}`));
    });
  };

  const startRedis = async (name: string, port: number) => {
    const args = ['--port', String(port), '--bind', loopback, '--save', '', '--appendonly', 'no', '--dir', data];
    const redis = await start(name, programs['redis-server'], args);
    await redis.ready(readyMs, async () => ((await ping(loopback, port, 500)).outcome === 'pong' ? true : undefined));
    return redis;
  };

  const redisPort = await freePort();
  const controlRedisPort = await freePort();
  const toxiproxyPort = await freePort();
  const redis = await restartable(() => startRedis('redis', redisPort), watch);
  watch(await startRedis('redis-control', controlRedisPort), () => false);
  const toxiproxyArgs = ['-host', loopback, '-port', String(toxiproxyPort), '-proxy-metrics', '-runtime-metrics'];
  const toxiproxyProcess = await start('toxiproxy', programs['toxiproxy-server'], toxiproxyArgs, {
    LOG_LEVEL: 'error',
  });
  watch(toxiproxyProcess, () => false);
  const toxiproxy = new ToxiproxyApi(`http://${loopback}:${toxiproxyPort}`);
  await toxiproxyProcess.ready(readyMs, () => toxiproxy.version());

  const startInstance = async (name: string, upstreamPort: number): Promise<Instance> => {
    const port = await freePort();
    const storePort = await toxiproxy.createProxy(`${name}-store`, `${loopback}:${upstreamPort}`);
    const frontPort = await toxiproxy.createProxy(`${name}-front`, `${loopback}:${port}`);
    const env = {
      NODE_ENV: 'production', // as deployed: Express answers errors without a stack
      ...service,
      HOST: loopback,
      PORT: String(port),
      REDIS_ADDR: `${loopback}:${storePort}`,
    };
    const url = `http://${loopback}:${port}`;
    const limiter = await start(name, process.execPath, [limiterMain ?? serviceMain], env);
    watch(limiter, () => false);
    await limiter.ready(readyMs, async () => {
      const readiness = (await (await fetch(`${url}/readyz`)).json()) as { mechanism?: string };
      return readiness.mechanism === 'redis' ? true : undefined;
    });
    const storeLink = { proxy: `${name}-store`, host: loopback, port: storePort };
    return { name, control: name === controlName, frontUrl: `http://${loopback}:${frontPort}`, url, storeLink };
  };
  const instances = await Promise.all([
    startInstance('limiter-1', redisPort),
    startInstance('limiter-2', redisPort),
    startInstance(controlName, controlRedisPort),
  ]);

  const prometheusUrl = await startPrometheus();

  return {
    driver: 'native',
    instances,
    toxiproxy,
    redis,
    prometheusUrl,
    versions: {
      node: process.version,
      redis: programs.versions['redis-server'] ?? '',
      toxiproxy: programs.versions['toxiproxy-server'] ?? '',
      prometheus: programs.versions.prometheus ?? '',
      ...machine(),
    },
    broken: broken.promise,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };

  async function startPrometheus(): Promise<string> {
    const port = await freePort();
    const config = join(data, 'prometheus.yml');
    const url = `http://${loopback}:${port}`;
    const address = (url: string) => url.replace('http://', '');
    await writeFile(
      config,
      prometheusConfig([
        ...instances.map(({ name, control, url }) => ({
          job: control ? controlName : 'limiter', // no part of the fleet: it would thin its shares and disagree with it
          address: address(url),
          instance: name,
        })),
        { job: 'toxiproxy', address: `${loopback}:${toxiproxyPort}`, instance: 'toxiproxy' },
        { job: 'prometheus', address: address(url), instance: 'prometheus' },
        { job: 'lab', address: labMetricsAddress, instance: 'lab' },
      ]),
    );
    const args = [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(data, 'prometheus')}`,
      `--web.listen-address=${address(url)}`,
      '--log.level=warn',
    ];
    const prometheus = await start('prometheus', programs.prometheus, args);
    watch(prometheus, () => false);
    await prometheus.ready(readyMs, async () => ((await fetch(`${url}/-/ready`)).ok ? true : undefined));
    return url;
  }
}

/** A Redis that can be killed and started anew at the same place. */
async function restartable(
  start: () => Promise<LabProcess>,
  watch: (process: LabProcess, isExpected: () => boolean) => void,
): Promise<RedisHandle> {
  let killed = false;
  const startWatched = async () => {
    const process = await start();
    watch(process, () => killed);
    return process;
  };
  let current = await startWatched();
  let restarting: Promise<void> | undefined;
  const restart = async () => {
    current = await startWatched();
    killed = false;
    restarting = undefined;
  };
  return {
    async kill() {
      killed = true;
      current.kill('SIGKILL');
      await current.exited;
    },
    async start() {
      if (current.end !== undefined) restarting ??= restart();
      await restarting;
    },
  };
}

type Programs = Record<Binary['name'], string> & { versions: Record<string, string> };

async function findAll(): Promise<Programs> {
  const found = await Promise.all(binaries.map(async (binary) => ({ binary, at: await find(binary) })));
  const missing = found.filter(({ at }) => at === undefined).map(({ binary }) => binary.name);
  if (missing.length > 0) throw new LabError(`Not installed: ${missing.join(', ')}. Type: npm run setup`);
  return {
    ...(Object.fromEntries(found.map(({ binary, at }) => [binary.name, at?.path])) as Record<Binary['name'], string>),
    versions: Object.fromEntries(found.map(({ binary, at }) => [binary.name, at?.version ?? ''])),
  };
}
