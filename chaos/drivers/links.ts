// The links of an environment in containers: each is a port of Toxiproxy's container, published on the host.
//
//   load ──▶ front port ──▶ limiter:8080 ──▶ store port ──▶ redis:6379
//                                    lab ──▶ lab port  ──▶ redis:6379

import { until } from '../clock.ts';
import type { RedisHandle, StoreLink } from '../environment.ts';
import { LabError } from '../errors.ts';
import { ping } from '../ping.ts';
import { type Container, type Engine, type Inspection, publishedPort } from './engine.ts';
import type { ContainerWatch } from './watch.ts';

export const limiterPort = 8080;
export const redisPort = 6379;
export const toxiproxyPort = 8474;
export const prometheusPort = 9090;

const readyMs = 10_000;

/** What a proxy listens on inside its container. */
export function listenOn(port: number): string {
  return `0.0.0.0:${port}`;
}

export function frontUrl({ host }: Engine, toxiproxy: Inspection, port: number): string {
  return `http://${host}:${publishedPort(toxiproxy, port)}`;
}

export function storeLink({ host }: Engine, toxiproxy: Inspection, proxy: string, port: number): StoreLink {
  return { proxy, host, port: publishedPort(toxiproxy, port) };
}

/** A Redis in a container, which can be killed and started anew. `at` is a way to it that is never faulted. */
export function redisIn(container: Container, watch: ContainerWatch, at: { host: string; port: number }): RedisHandle {
  let killing: Promise<void> | undefined;
  let starting: Promise<void> | undefined;
  const kill = async () => {
    watch.expectEnd(container.id);
    await container.kill({ signal: 'SIGKILL' });
    await container.wait();
  };
  const start = async () => {
    await container.start();
    await watch.restarted(container.id);
    const pong = async () => ((await ping(at.host, at.port, 500)).outcome === 'pong' ? true : undefined);
    if (!(await until(readyMs, 20, pong))) throw new LabError(`redis was not ready within ${readyMs / 1000} s`);
    killing = undefined;
    starting = undefined;
  };
  return {
    async kill() {
      killing ??= kill();
      await killing;
    },
    async start() {
      if (killing) starting ??= start();
      await starting;
    },
  };
}
