// The way of a Prometheus in a container to the lab's own metrics, which are served by a process of this machine.
//
//   prometheus ──▶ the gateway of its network, where that is an address of this machine ──▶ lab metrics
//              ──▶ host.docker.internal, which leads to loopback, where Docker has a machine of its own ──▶ lab metrics

import { writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { LabMetricsPage } from '../environment.ts';
import type { Inspection } from '../host/engine.ts';

/** Prometheus sees it as lab/ beside its configuration, and looks there once a second for files that name targets. */
export const targetDirectory = join(import.meta.dirname, '..', '..', 'prometheus', 'lab');
export const labInstance = 'lab';

const loopback = '127.0.0.1';

/** Has them served where the containers of this one's network reach them. Returns `host:port` as these see it. */
export async function serveTo({ NetworkSettings }: Inspection, labMetrics: LabMetricsPage): Promise<string> {
  const own = Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? []).map(({ address }) => address),
  );
  const gateways = Object.values(NetworkSettings.Networks).map(({ Gateway }) => Gateway);
  const gateway = gateways.find((address) => own.includes(address));
  const port = await labMetrics.listen(gateway ?? loopback);
  return `${gateway ?? 'host.docker.internal'}:${port}`;
}

/** https://prometheus.io/docs/prometheus/latest/configuration/configuration/#file_sd_config */
export function writeTarget(file: string, address: string): void {
  writeFileSync(file, `${JSON.stringify([{ targets: [address], labels: { instance: labInstance } }])}\n`);
}
