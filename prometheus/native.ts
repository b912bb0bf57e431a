// Prometheus's configuration for a run on loopback ports. JSON is YAML, so no writer for it is needed.

import { join } from 'node:path';

export interface ScrapeTarget {
  readonly job: string;
  /** `host:port`. */
  readonly address: string;
  readonly instance: string;
}

/** The alerts with windows of seconds. */
export const labRules = join(import.meta.dirname, 'rules-lab.yml');

export function prometheusConfig(targets: readonly ScrapeTarget[]): string {
  const jobs = Map.groupBy(targets, ({ job }) => job);
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: [labRules],
    scrape_configs: [...jobs].map(([job, members]) => ({
      job_name: job,
      static_configs: members.map(({ address, instance }) => ({ targets: [address], labels: { instance } })),
    })),
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
