// What the service is told in files, beside its settings: policies, and rules of Envoy's door. Each is read again when it
// changes.

import type { WrittenPolicy } from './policies-shape.ts';
import type { WrittenDomain } from './rls/shape.ts';

/** What the files say, as one process hands it to another; undefined where there are none. */
export interface Written {
  readonly policies?: readonly WrittenPolicy[] | undefined;
  readonly rules?: readonly WrittenDomain[] | undefined;
}

export type SourceName = keyof Written;

/** The setting that says where each source is. */
export const sourceSettings = { policies: 'POLICIES_FILE', rules: 'RLS_CONFIG_DIR' } as const;

export const sourceNames = Object.keys(sourceSettings) as readonly SourceName[];

export interface Source {
  readonly name: SourceName;
  readonly path: string;
}
