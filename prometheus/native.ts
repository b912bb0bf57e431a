// The configuration of a Prometheus that a run starts for itself. JSON is YAML, so no writer for it is needed.

import { join } from 'node:path';

export interface ScrapeTarget {
  readonly job: string;
  /** `host:port`. */
  readonly address: string;
  readonly instance: string;
}

/** The alerts with windows of seconds. */
export const labRules = join(import.meta.dirname, 'rules-lab.yml');

/** `rules`: the path of the alerts, from the configuration's directory if it is relative. */
export function prometheusConfig(targets: readonly ScrapeTarget[], rules: string = labRules): string {
  const jobs = Map.groupBy(targets, ({ job }) => job);
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: [rules],
    scrape_configs: [...jobs].map(([job, members]) => ({
      job_name: job,
      static_configs: members.map(({ address, instance }) => ({ targets: [address], labels: { instance } })),
    })),
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
