// `npm run dashboards`: writes the dashboards, and the rules of Prometheus that they show.

import '../chaos/command.ts';
import { commandLine } from '../chaos/command-line.ts';
import { endWith } from '../chaos/errors.ts';
import { writeRuleFiles } from '../prometheus/generate.ts';
import { writeDashboards } from './generate.ts';

try {
  commandLine({}, "npm run dashboards: writes Grafana's dashboards and Prometheus's rules anew");
  writeRuleFiles();
  writeDashboards();
} catch (error) {
  endWith(error);
}
