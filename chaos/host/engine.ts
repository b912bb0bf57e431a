// The container engine, as the drivers and heal use it: found by testcontainers, with errors that say what to do.
//
// Whatever the lab creates there bears one label that is unique to the run. It is noted in the undo log before anything
// exists, and removing all that bears it is how a run ends, however it ends.

import { randomBytes } from 'node:crypto';
import { type ContainerRuntimeClient, getContainerRuntimeClient } from 'testcontainers';
import { until } from '../clock.ts';
import { LabError } from '../errors.ts';

/** Of the two that `localhost` may mean, the one that ports are published on. */
const loopback = '127.0.0.1';

export type Container = ReturnType<ContainerRuntimeClient['container']['getById']>;
export type Inspection = Awaited<ReturnType<Container['inspect']>>;

export interface Engine {
  readonly client: ContainerRuntimeClient;
  readonly dockerode: ContainerRuntimeClient['container']['dockerode'];
  /** Where published ports are reached. */
  readonly host: string;
}

const networkMsMax = 10_000;

/** Throws when no engine answers. */
export async function findEngine(): Promise<Engine> {
  // No reaper: it would be one image more, would get Docker's socket, and would outlive the run by ten seconds. The
  // undo log does its work.
  process.env.TESTCONTAINERS_RYUK_DISABLED = 'true';
  // Where ports are published, and so where they are reached. Left to itself testcontainers takes the bridge's gateway
  // for it wherever there is a file /.dockerenv, which on a virtual machine made from an image there may be.
  process.env.TESTCONTAINERS_HOST_OVERRIDE ??= loopback;
  const named = process.env.DOCKER_HOST;
  const silent = named
    ? new LabError(`Docker does not answer at ${named}, which DOCKER_HOST names. Type: docker info`)
    : new LabError('Docker does not answer: it is not installed, or its engine is not running. Type: docker info');
  const client = await getContainerRuntimeClient().catch(() => {
    throw silent;
  });
  const { dockerode } = client.container;
  // Where the one that is named does not answer, testcontainers goes on to any other that does.
  if (named?.startsWith('unix://') && (dockerode.modem as { socketPath?: string }).socketPath !== named.slice(7))
    throw silent;
  return { client, dockerode, host: client.info.containerRuntime.host };
}

/**
 * What the containers that the lab makes itself weigh for the scheduler; docker-compose.yml says the same. Sixteen times a
 * process of the machine: a health check or the start of a container elsewhere is a burst of Docker's own work. With the
 * cgroupfs driver all containers together weigh no more than one such process, unless CGROUP_PARENT is `/`.
 */
export function weight(): { CpuShares: number; CgroupParent?: string } {
  const { CGROUP_PARENT } = process.env;
  return { CpuShares: 16_384, ...(CGROUP_PARENT ? { CgroupParent: CGROUP_PARENT } : {}) };
}

/** What marks all that a run creates. The name is the lab's own: testcontainers' label may be on anybody's. */
export interface Label {
  readonly name: 'failopen.run';
  readonly value: string;
}

export function freshLabel(): Label {
  return { name: 'failopen.run', value: randomBytes(8).toString('hex') };
}

interface Labelled {
  readonly id: string;
  /** Kind and name, in words. */
  readonly what: string;
}

/** Every container and network with the label. */
export async function labelled(
  { dockerode }: Engine,
  { name, value }: Label,
): Promise<{ readonly containers: Labelled[]; readonly networks: Labelled[] }> {
  const filters = { label: [`${name}=${value}`] };
  const containers = await dockerode.listContainers({ all: true, filters });
  const networks = await dockerode.listNetworks({ filters });
  return {
    containers: containers.map(({ Id, Names }) => ({ id: Id, what: `container ${Names[0]?.slice(1) ?? Id}` })),
    networks: networks.map(({ Id, Name }) => ({ id: Id, what: `network ${Name}` })),
  };
}

/** Removes them. Returns what it removed. Safe to repeat. */
export async function removeLabelled(engine: Engine, label: Label): Promise<string[]> {
  const { dockerode } = engine;
  const { containers, networks } = await labelled(engine, label);
  // One after another: of several that end at once Docker may keep the address of one, and then never gives up its network.
  for (const { id } of containers) await dockerode.getContainer(id).remove({ force: true, v: true }).catch(unlessGone);
  await Promise.all(networks.map(({ id }) => removeNetwork(dockerode.getNetwork(id))));
  return [...containers, ...networks].map(({ what }) => what);
}

/** A container that is still being removed holds its network for a moment: 403. */
async function removeNetwork(network: ReturnType<Engine['dockerode']['getNetwork']>): Promise<void> {
  const removed = await until(networkMsMax, 100, () =>
    network.remove().then(
      () => true,
      (error: { statusCode?: number }) => {
        if (error.statusCode === 403) return undefined;
        unlessGone(error);
        return true;
      },
    ),
  );
  if (removed) return;
  throw new LabError(
    `Docker keeps network ${network.id}, though its containers are gone. Type: docker network rm ${network.id}`,
  );
}

/** The host's port that a container's port is published on, now: a restart may map it anew. */
export function publishedPort({ Name, NetworkSettings }: Inspection, port: number): number {
  const published = Number(NetworkSettings.Ports[`${port}/tcp`]?.[0]?.HostPort);
  if (!published) throw new LabError(`${Name.slice(1)} does not publish its port ${port}`);
  return published;
}

/** 404: it is gone already. 409: its removal is in progress. */
function unlessGone(error: unknown): void {
  const { statusCode } = error as { statusCode?: number };
  if (statusCode !== 404 && statusCode !== 409) throw error;
}
