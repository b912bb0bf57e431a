// The native driver: everything is a child process on a free loopback port.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { prometheusConfig } from '../../prometheus/native.ts';
import { limiterJob } from '../../prometheus/rules.ts';
import type { Driver, Environment, EnvironmentOptions, Instance } from '../environment.ts';
import { LabError } from '../errors.ts';
import { freePort } from '../free-port.ts';
import { type Binary, binaries, find } from '../host/binaries.ts';
import { ToxiproxyApi } from '../host/toxiproxy.ts';
import { controlName, limiterNames } from '../scenario.ts';
import { startLimiter } from './native-limiter.ts';
import { loopback, NativeParts } from './native-parts.ts';
import { startRedis } from './native-redis.ts';
import { withPoliciesFile } from './policies-file.ts';
import { settableClock } from './settable-clock.ts';
import { machine } from './versions.ts';

export const native: Driver = async (options) => {
  const programs = await findAll();
  const parts = NativeParts.create(options.logs);
  try {
    return await startAll(programs, parts, options);
  } catch (error) {
    await parts[Symbol.asyncDispose]();
    throw error;
  }
};

async function startAll(
  programs: Programs,
  parts: NativeParts,
  { topology, service, withoutStore, target, limiterMain, needs, labMetrics }: EnvironmentOptions,
): Promise<Environment> {
  const isClockSet = needs?.has('redis-clock') ?? false;
  const areClocksSet = needs?.has('limiter-clock') ?? false;
  const namespace = needs?.has('netns') ? await parts.namespace() : undefined;
  const program = { command: programs['redis-server'], version: programs.versions['redis-server'] };
  const startTopology = (name: string, replicated: boolean) =>
    startRedis[topology]({ parts, ...program, name, replicated, isClockSet, namespace });
  const [redis, controlRedis] = await Promise.all([
    startTopology('redis', true),
    startTopology('redis-control', false),
  ]);

  const toxiproxyPort = await freePort();
  const toxiproxyArgs = ['-host', loopback, '-port', String(toxiproxyPort), '-proxy-metrics', '-runtime-metrics'];
  const toxiproxy = new ToxiproxyApi(`http://${loopback}:${toxiproxyPort}`);
  const command = programs['toxiproxy-server'];
  await parts.start(
    { name: 'toxiproxy', command, args: toxiproxyArgs, env: { LOG_LEVEL: 'error' }, onPath: true },
    () => toxiproxy.version(),
  );

  const settings = withoutStore ? await withPoliciesFile(parts.data, service, withoutStore) : service;
  const startInstance = async ({ name, control, port, url }: Seat): Promise<Instance> => {
    const way = await (control ? controlRedis : redis).wayFrom(name, toxiproxy);
    const frontProxy = `${name}-front`;
    const { transport } = target;
    const takePort = transport ? await freePort() : port;
    const frontPort = await toxiproxy.createProxy(frontProxy, `${loopback}:${takePort}`);
    const takeEnv = transport ? { [transport.portVariable]: String(takePort) } : {};
    const clock = areClocksSet ? await settableClock(parts.data, name) : undefined;
    const env = { ...settings, HOST: loopback, PORT: String(port), ...takeEnv, ...way.env, ...clock?.env };
    const process = await startLimiter(
      parts,
      limiterMain === undefined ? target : { ...target, start: { node: limiterMain } },
      name,
      env,
      url,
    );
    const frontUrl = `http://${loopback}:${frontPort}`;
    const links = { frontUrl, frontProxy, url, storeLink: way.storeLink };
    return { name, control, ...links, process, ...(clock ? { clock } : {}) };
  };
  const seats = await Promise.all([...limiterNames, controlName].map(seatOf));
  // Side by side: Prometheus looks at what it is to scrape only 5 s after its own start.
  const [instances, { prometheusUrl, prometheus }] = await Promise.all([
    Promise.all(seats.map(startInstance)),
    startPrometheus(),
  ]);

  return {
    driver: 'native',
    instances,
    toxiproxy,
    redis,
    prometheusUrl,
    prometheus,
    startBusy: (processor) => parts.startBusy(processor),
    versions: {
      node: process.version,
      redis: programs.versions['redis-server'] ?? '',
      toxiproxy: programs.versions['toxiproxy-server'] ?? '',
      prometheus: programs.versions.prometheus ?? '',
      ...machine(),
    },
    broken: parts.broken,
    [Symbol.asyncDispose]: () => parts[Symbol.asyncDispose](),
  };

  async function startPrometheus(): Promise<Required<Pick<Environment, 'prometheusUrl' | 'prometheus'>>> {
    const port = await freePort();
    const config = join(parts.data, 'prometheus.yml');
    const url = `http://${loopback}:${port}`;
    const address = (url: string) => url.replace('http://', '');
    await writeFile(
      config,
      prometheusConfig([
        ...seats.map(({ name, control, url }) => ({
          job: control ? controlName : limiterJob, // no part of the fleet: it would thin its shares and disagree with it
          address: address(url),
          instance: name,
        })),
        { job: 'toxiproxy', address: `${loopback}:${toxiproxyPort}`, instance: 'toxiproxy' },
        { job: 'prometheus', address: address(url), instance: 'prometheus' },
        { job: 'lab', address: `${loopback}:${await labMetrics.listen(loopback)}`, instance: 'lab' },
      ]),
    );
    const args = [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(parts.data, 'prometheus')}`,
      `--web.listen-address=${address(url)}`,
      '--log.level=warn',
    ];
    const part = { name: 'prometheus', command: programs.prometheus, args };
    const ready = async () => ((await fetch(`${url}/-/ready`)).ok ? true : undefined);
    return { prometheusUrl: url, prometheus: await parts.startRestartable(part, ready) };
  }
}

/** Where an instance will be. */
interface Seat {
  readonly name: string;
  readonly control: boolean;
  readonly port: number;
  readonly url: string;
}

async function seatOf(name: string): Promise<Seat> {
  const port = await freePort();
  return { name, control: name === controlName, port, url: `http://${loopback}:${port}` };
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
