// The provisioning files of Grafana as its manual documents them, since Grafana itself says nothing of a field that it
// does not know: https://grafana.com/docs/grafana/latest/administration/provisioning/

interface Field {
  readonly type: 'string' | 'number' | 'boolean' | Fields | readonly [Fields];
  readonly required?: boolean;
  readonly allowed?: readonly unknown[];
}

type Fields = Readonly<Record<string, Field>>;

const string: Field = { type: 'string' };
const name: Field = { type: 'string', required: true };
const number: Field = { type: 'number' };
const boolean: Field = { type: 'boolean' };
const apiVersion: Field = { type: 'number', required: true, allowed: [1] };

/** `prune` since 11.1. Of `jsonData` the fields that Prometheus has. */
export const datasourcesFile: Fields = {
  apiVersion,
  prune: boolean,
  deleteDatasources: { type: [{ name, orgId: number }] },
  datasources: {
    required: true,
    type: [
      {
        name,
        type: name,
        access: { ...name, allowed: ['proxy', 'direct'] },
        orgId: number,
        uid: string,
        url: string,
        user: string,
        database: string,
        basicAuth: boolean,
        basicAuthUser: string,
        withCredentials: boolean,
        isDefault: boolean,
        version: number,
        editable: boolean,
        jsonData: {
          type: {
            timeInterval: string,
            queryTimeout: string,
            httpMethod: { ...string, allowed: ['GET', 'POST'] },
            customQueryParameters: string,
            manageAlerts: boolean,
            alertmanagerUid: string,
            prometheusType: { ...string, allowed: ['Prometheus', 'Cortex', 'Mimir', 'Thanos'] },
            prometheusVersion: string,
            cacheLevel: { ...string, allowed: ['Low', 'Medium', 'High', 'None'] },
            incrementalQuerying: boolean,
            incrementalQueryOverlapWindow: string,
            disableRecordingRules: boolean,
          },
        },
      },
    ],
  },
};

export const dashboardsFile: Fields = {
  apiVersion,
  providers: {
    required: true,
    type: [
      {
        name,
        orgId: number,
        folder: string,
        folderUid: string,
        type: { ...string, allowed: ['file'] },
        disableDeletion: boolean,
        updateIntervalSeconds: number,
        allowUiUpdates: boolean,
        options: { required: true, type: { path: name, foldersFromFilesStructure: boolean } },
      },
    ],
  },
};

/** Where a value is not as documented, a sentence each. */
export function misfits(value: unknown, fields: Fields, where = ''): string[] {
  if (!isRecord(value)) return [`${where.replace(/\.$/, '') || 'the file'} is no mapping`];
  const unknown = Object.keys(value)
    .filter((key) => !(key in fields))
    .map((key) => `${where}${key} is not documented`);
  const known = Object.entries(fields).flatMap(([key, field]) => {
    const at = `${where}${key}`;
    const inside = value[key];
    if (inside === undefined) return field.required ? [`${at} is missing`] : [];
    return fieldMisfits(inside, field, at);
  });
  return [...unknown, ...known];
}

function fieldMisfits(value: unknown, { type, allowed }: Field, at: string): string[] {
  if (typeof type === 'string') {
    if (typeof value !== type) return [`${at} is no ${type}`];
    return allowed && !allowed.includes(value) ? [`${at} is ${value}, allowed: ${allowed.join(', ')}`] : [];
  }
  if (!isList(type)) return misfits(value, type, `${at}.`);
  if (!Array.isArray(value)) return [`${at} is no list`];
  return value.flatMap((each, i) => misfits(each, type[0], `${at}[${i}].`));
}

function isList(type: Fields | readonly [Fields]): type is readonly [Fields] {
  return Array.isArray(type);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
