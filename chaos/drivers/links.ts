// The links of an environment in containers: each is a port of Toxiproxy's container.
//
//   load ──▶ front port ──▶ limiter:8080 ──▶ store port ──▶ redis:6379
//                                    lab ──▶ lab port  ──▶ redis:6379

import { connect } from 'node:net';
import { until } from '../clock.ts';
import type { RedisHandle, StoreLink } from '../environment.ts';
import { LabError } from '../errors.ts';
import { type Container, type Engine, type Inspection, publishedPort } from '../host/engine.ts';
import { ping } from '../host/ping.ts';
import type { ContainerWatch } from './watch.ts';

export const limiterPort = 8080;
export const redisPort = 6379;
export const toxiproxyPort = 8474;
export const prometheusPort = 9090;

const readyMs = 30_000;
const connectMsMax = 300;

/** What a proxy listens on inside its container. */
export function listenOn(port: number): string {
  return `0.0.0.0:${port}`;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * The way from here to a container's port: its own address on the bridge where that can be reached, as on Linux, else
 * the published port. Docker carries what is sent to a published loopback port through a process of its own, which on
 * a small machine costs milliseconds that a limiter would be blamed for.
 */
export async function addressOf({ host }: Engine, inspection: Inspection, port: number): Promise<Address> {
  const published = { host, port: publishedPort(inspection, port) };
  for (const { IPAddress } of Object.values(inspection.NetworkSettings.Networks)) {
    if (IPAddress && (await accepts(IPAddress, port))) return { host: IPAddress, port };
  }
  return published;
}

export function urlOf({ host, port }: Address): string {
  return `http://${host}:${port}`;
}

export async function storeLink(
  engine: Engine,
  toxiproxy: Inspection,
  proxy: string,
  port: number,
): Promise<StoreLink> {
  return { proxy, ...(await addressOf(engine, toxiproxy, port)) };
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: connectMsMax });
    const settle = (accepted: boolean) => {
      socket.destroy();
      resolve(accepted);
    };
    socket
      .once('connect', () => settle(true))
      .once('error', () => settle(false))
      .once('timeout', () => settle(false));
  });
}

/** Resolves when Redis answers there. */
export async function answers(name: string, { host, port }: Address): Promise<void> {
  const pong = async () => ((await ping(host, port, 500)).outcome === 'pong' ? true : undefined);
  if (!(await until(readyMs, 20, pong))) throw new LabError(`${name} was not ready within ${readyMs / 1000} s`);
}

/** A Redis in a container, which can be killed and started anew. `at` is a way to it that is never faulted. */
export function redisIn(container: Container, watch: ContainerWatch, at: Address): RedisHandle {
  return onceEach({
    async kill() {
      watch.expectEnd(container.id);
      await container.kill({ signal: 'SIGKILL' });
      await container.wait();
    },
    async start() {
      await container.start();
      await watch.restarted(container.id);
      await answers('redis', at);
    },
  });
}

/** Killed once however often it is asked for, and started only when it was killed. */
export function onceEach({ kill, start }: RedisHandle): RedisHandle {
  let killing: Promise<void> | undefined;
  let starting: Promise<void> | undefined;
  const startAnew = async () => {
    await start();
    killing = undefined;
    starting = undefined;
  };
  return {
    async kill() {
      killing ??= kill();
      await killing;
    },
    async start() {
      if (killing) starting ??= startAnew();
      await starting;
    },
  };
}
