import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { datasourceUid } from '../../grafana/parts.ts';
import { projectDirectory } from '../support/lab-processes.ts';
import { dashboardsFile, datasourcesFile, misfits } from '../support/provisioning.ts';

const yaml = (path: string) =>
  parse(readFileSync(join(projectDirectory, path), 'utf8'), { merge: true, maxAliasCount: -1 });
const datasources = () => yaml('grafana/provisioning/datasources/prometheus.yml');
const dashboards = () => yaml('grafana/provisioning/dashboards/dashboards.yml');

describe('what Grafana is provisioned with', () => {
  it('is as its manual documents it', () => {
    expect([...misfits(datasources(), datasourcesFile), ...misfits(dashboards(), dashboardsFile)]).toEqual([]);
  });

  it('would be caught with a field misspelt, missing, of another type or with another value', () => {
    const [source] = datasources().datasources;
    const bad = {
      apiVersion: 2,
      datasource: [],
      datasources: [
        { ...source, name: undefined, editable: 'no', jsonData: { ...source.jsonData, httpMethod: 'PUT' } },
      ],
    };
    expect(misfits(bad, datasourcesFile)).toEqual([
      'datasource is not documented',
      'apiVersion is 2, allowed: 1',
      'datasources[0].name is missing',
      'datasources[0].editable is no boolean',
      'datasources[0].jsonData.httpMethod is PUT, allowed: GET, POST',
    ]);
    expect(misfits({ apiVersion: 1, providers: [{ name: 'x', options: 7 }] }, dashboardsFile)).toEqual([
      'providers[0].options is no mapping',
    ]);
  });

  it('has the data source that the dashboards choose, by its fixed uid, and asks no more often than it is scraped', () => {
    expect(datasources().datasources).toMatchObject([
      { uid: datasourceUid, type: 'prometheus', isDefault: true, editable: false },
    ]);
    const { global } = yaml('prometheus/prometheus.yml');
    expect(datasources().datasources[0].jsonData.timeInterval).toBe(global.scrape_interval);
  });

  it('is where Compose puts it, and finds Prometheus there', () => {
    const { services } = yaml('docker-compose.yml');
    expect(services.grafana.volumes).toEqual(
      expect.arrayContaining([
        './grafana/provisioning:/etc/grafana/provisioning:ro',
        `./grafana/dashboards:${dashboards().providers[0].options.path}:ro`,
      ]),
    );
    const { hostname, port } = new URL(datasources().datasources[0].url);
    expect(services[hostname].ports).toEqual([expect.stringMatching(new RegExp(`:${port}$`))]);
  });

  it('is changed in its files alone', () => {
    expect(dashboards().providers).toMatchObject([{ allowUiUpdates: false, disableDeletion: false }]);
  });

  it('lets anybody look and nobody log in, by whatever way its manual knows', () => {
    expect(yaml('docker-compose.yml').services.grafana.environment).toMatchObject({
      GF_AUTH_ANONYMOUS_ENABLED: 'true',
      GF_AUTH_ANONYMOUS_ORG_ROLE: 'Viewer',
      GF_AUTH_DISABLE_LOGIN_FORM: 'true',
      GF_AUTH_BASIC_ENABLED: 'false',
      GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION: 'true',
      GF_USERS_ALLOW_SIGN_UP: 'false',
    });
  });
});
