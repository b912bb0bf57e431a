// Policies and rules that change under a running service with a real Redis.

import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../chaos/free-port.ts';
import { seriesOf } from '../support/metrics-page.ts';
import { type PoliciesService, startPoliciesService } from '../support/policies-service.ts';
import { metricsOf } from '../support/readiness.ts';
import { type RedisProcess, startRedis } from '../support/redis.ts';
import { type ServiceProcess, spawnService, startService } from '../support/service.ts';
import { until } from '../support/until.ts';

const policiesWith = (...limits: string[]) => `
policies:
  - {name: a, match: {path: /a}, key: header:x-key, limits: [${limits.join(', ')}]}
`;

const ask = async ({ url }: ServiceProcess, key: string) => {
  const { status, headers } = await fetch(`${url}/a`, { headers: { 'x-key': key }, keepalive: false });
  return { status, policy: headers.get('ratelimit-policy'), left: Number(headers.get('x-ratelimit-remaining')) };
};
const policyOf = async (service: ServiceProcess) => (await ask(service, 'any')).policy;

const reloads = async (service: ServiceProcess) => {
  const series = await metricsOf(service, 'rate_limit_policies_reloads_total');
  return [series['result="accepted"'], series['result="refused"']];
};

const logOf = (service: ServiceProcess, level: number): { msg: string; mistakes?: string[] }[] =>
  service.child
    .stdout()
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line))
    .filter((line) => line.level === level && !line.msg.includes('Redis'));

let redis: RedisProcess;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await redis.stop();
});

describe('a policies file that changes', () => {
  let service: PoliciesService;
  beforeAll(async () => {
    service = await startPoliciesService(policiesWith('100 per day'), {}, redis.url);
  });
  afterAll(async () => {
    await service.stop();
  });

  /** Replaces the file, and waits until requests are decided by it. */
  const replace = async (limits: string[], expected: string) => {
    await service.replacePolicies(policiesWith(...limits));
    await until(expected, async () => (await policyOf(service)) === expected);
  };

  it('keeps what was used: half empty stays half empty, and by its refill every token that was taken', async () => {
    for (let i = 0; i < 50; i++) await ask(service, 'half');
    await replace(['200 per day'], '"a";q=200;w=86400');
    expect((await ask(service, 'half')).left).toBe(99);
    await replace(['{capacity: 100, refillPerSecond: 0.001}'], '"a";q=100;w=100000');
    for (let i = 0; i < 50; i++) await ask(service, 'taken');
    await replace(['{capacity: 200, refillPerSecond: 0.001}'], '"a";q=200;w=200000');
    expect((await ask(service, 'taken')).left).toBe(149);
    await replace(['{capacity: 20, refillPerSecond: 0.001}'], '"a";q=20;w=20000');
    expect(await ask(service, 'taken')).toMatchObject({ status: 429, left: 0 });
  });

  it('is refused with every mistake while the policies before it stay, told once', async () => {
    await replace(['7 per day'], '"a";q=7;w=86400');
    const [accepted = 0, refused = 0] = await reloads(service);
    const hash = (await seriesOf(service)).get('rate_limit_policies_hash');
    await service.replacePolicies(policiesWith('10 per fortnight', '0 per day'));
    await until('the refusal', async () => (await reloads(service))[1] === refused + 1);
    await sleep(500); // some looks more
    expect([await policyOf(service), await reloads(service)]).toEqual(['"a";q=7;w=86400', [accepted, refused + 1]]);
    const series = await seriesOf(service);
    expect([series.get('rate_limit_policies_hash'), series.get('rate_limit_policies_last_reload_successful')]).toEqual([
      hash,
      0,
    ]);
    const [line, ...others] = logOf(service, 50);
    expect([line?.msg, others]).toEqual([`${service.policiesPath} is refused, and the policies stay as they are`, []]);
    expect(line?.mistakes?.map((mistake) => mistake.replace(/ is .*/, ''))).toEqual([
      `POLICIES_FILE ${service.policiesPath}:3 policies[0].limits[0]`,
      `POLICIES_FILE ${service.policiesPath}:3 policies[0].limits[1]`,
    ]);
    await service.replacePolicies(policiesWith('7 per day'));
    await until('what was before', async () => (await reloads(service))[0] === accepted + 1);
    expect((await seriesOf(service)).get('rate_limit_policies_last_reload_successful')).toBe(1);
  });

  it('changes nothing while it is gone', async () => {
    await replace(['7 per day'], '"a";q=7;w=86400');
    const [, refused = 0] = await reloads(service);
    await rm(service.policiesPath);
    await until('the refusal', async () => (await reloads(service))[1] === refused + 1);
    expect(await policyOf(service)).toBe('"a";q=7;w=86400');
    await replace(['8 per day'], '"a";q=8;w=86400');
  });

  it('is found where a link leads to another folder, as Kubernetes does it', async () => {
    const dir = dirname(service.policiesPath);
    for (const [n, limits] of [
      [1, '11 per day'],
      [2, '12 per day'],
    ] as const) {
      await mkdir(join(dir, `version-${n}`));
      await writeFile(join(dir, `version-${n}`, 'policies.yaml'), policiesWith(limits));
      await rm(join(dir, '..data'), { force: true });
      await symlink(`version-${n}`, join(dir, '..data'));
      if (n === 1) {
        await rm(service.policiesPath);
        await symlink('..data/policies.yaml', service.policiesPath);
      }
      await until(limits, async () => (await policyOf(service)) === `"a";q=${parseInt(limits, 10)};w=86400`);
    }
    await rm(service.policiesPath);
  });

  it('is read again on SIGHUP, also as it is', async () => {
    await replace(['9 per day'], '"a";q=9;w=86400');
    const [accepted = 0] = await reloads(service);
    service.child.process.kill('SIGHUP');
    await until('the file read again', async () => (await reloads(service))[0] === accepted + 1);
    const loadedAt = (await seriesOf(service)).get('rate_limit_policies_loaded_timestamp_seconds');
    expect(Math.abs(Date.now() / 1000 - Number(loadedAt))).toBeLessThan(60);
  });

  it('counts by policy what is in force and no others', async () => {
    const policy = (name: string) =>
      `{name: ${name}, match: {path: /a}, key: header:x-key, limits: [1 per day], shadow: true}`;
    await service.replacePolicies(`policies: [${policy('old')}]`);
    await until(
      'the old',
      async () => 'policy="old"' in (await metricsOf(service, 'rate_limit_request_mistakes_total')),
    );
    await ask(service, 'shadow');
    await service.replacePolicies(`policies: [${policy('new')}]`);
    await until(
      'the new',
      async () => 'policy="new"' in (await metricsOf(service, 'rate_limit_request_mistakes_total')),
    );
    expect(await metricsOf(service, 'rate_limit_request_mistakes_total')).toEqual({ 'policy="new"': 0 });
    expect(await metricsOf(service, 'rate_limit_shadow_requests_total')).toEqual({
      'policy="new",status="allowed"': 0,
      'policy="new",status="blocked"': 0,
    });
  });
});

it('all workers decide by the same policies, also one that starts while the file is bad', async () => {
  await using service = await startPoliciesService(policiesWith('100 per day'), { WORKERS: '2' }, redis.url);
  const policies = async () => new Set(await Promise.all(Array.from({ length: 12 }, () => policyOf(service))));
  await service.replacePolicies(policiesWith('50 per day'));
  await until('the new policies in both', async () => [...(await policies())].join() === '"a";q=50;w=86400');
  expect(await reloads(service)).toEqual([1, 0]); // once, not once a worker
  await service.replacePolicies('policies: [');
  await until('the refusal', async () => (await reloads(service))[1] === 1);
  const pid = /"workerPid":(\d+)/.exec(service.output())?.[1];
  process.kill(Number(pid), 'SIGKILL');
  const restarts = 'rate_limit_worker_restarts_total';
  await until('another worker', async () => {
    const series = await seriesOf(service);
    return series.get(restarts) === 1 && series.get('rate_limit_workers') === 2;
  });
  expect([...(await policies())]).toEqual(['"a";q=50;w=86400']);
});

it('rules of Envoy’s door change alike, in each of their files', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'failopen-rules-'));
  const rules = (domain: string, count: number) =>
    `domain: ${domain}\ndescriptors: [{key: k, rate_limit: {unit: day, requests_per_unit: ${count}}}]\n`;
  const write = (file: string, text: string) => writeFile(join(directory, file), text);
  await write('a.yaml', rules('a', 1));
  const GRPC_PORT = String(await freePort());
  await using service = await startService({ GRPC_PORT, RLS_CONFIG_DIR: directory, REDIS_URL: redis.url });
  const counted = async () => {
    const series = await metricsOf(service, 'rate_limit_rules_reloads_total');
    return [series['result="accepted"'], series['result="refused"']];
  };
  const hash = async () => (await seriesOf(service)).get('rate_limit_rules_hash');
  const first = await hash();
  await write('a.yaml', rules('a', 2));
  await until('other rules', async () => (await hash()) !== first);
  await write('b.yaml', rules('b', 1));
  await until('another file', async () => (await counted())[0] === 2);
  await write('b.yaml', rules('a', 1));
  await until('the refusal', async () => (await counted())[1] === 1);
  const [line] = logOf(service, 50);
  expect([line?.msg, line?.mistakes]).toEqual([
    `${directory} is refused, and the rules stay as they are`,
    [`RLS_CONFIG_DIR ${directory}/b.yaml:1 domain is a, as in ${directory}/a.yaml; allowed: each domain in one file`],
  ]);
  await rm(join(directory, 'b.yaml'));
  await until('what is left', async () => (await counted())[0] === 3);
  service.child.process.kill('SIGHUP');
  await until('the files read again', async () => (await counted())[0] === 4);
  expect(await counted()).toEqual([4, 1]);
  await rm(directory, { recursive: true });
});

it('SIGHUP without a policies file is told, and changes nothing', async () => {
  await using service = await startService();
  service.child.process.kill('SIGHUP');
  await until('a word', () => service.output().includes('SIGHUP: POLICIES_FILE and RLS_CONFIG_DIR are not set'));
  expect([(await fetch(service.url)).status, service.child.hasEnded()]).toEqual([200, false]);
});

it.each([
  ['SIGHUP', 1],
  ['SIGTERM', 1],
  ['SIGHUP', 2],
] as const)('%s while a service of %i workers starts is no end by a signal', async (signal, workers) => {
  const dir = await mkdtemp(join(tmpdir(), 'failopen-policies-'));
  const path = join(dir, 'policies.yaml');
  await writeFile(path, policiesWith('7 per day'));
  // Before its own first line a program hears no signal: node says here when it has come so far.
  const said = 'data:text/javascript,process.stderr.write(%22begun%22)';
  const env = { REDIS_URL: redis.url, PORT: String(await freePort()), POLICIES_FILE: path, WORKERS: String(workers) };
  await using child = spawnService({ ...env, NODE_OPTIONS: `--import ${said}` });
  await until('its beginning', () => child.stderr().includes('begun'));
  await sleep(200);
  child.process.kill(signal);
  if (signal === 'SIGTERM') expect(await child.ended).toEqual({ code: 0, signal: null });
  else {
    const isReadAgain = () => child.stdout().includes('is read again: 1 policies');
    await until('the file read again', () => isReadAgain() || child.hasEnded());
    expect(isReadAgain()).toBe(true);
  }
  await rm(dir, { recursive: true });
});
