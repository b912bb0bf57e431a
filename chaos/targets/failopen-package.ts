// This project's limiter as a package inside an application, by what each application has today. The programs import it by
// its name; the condition leads to its source, since its JavaScript is built only when it is packed.

import { join } from 'node:path';
import { type KnownTarget, plain } from './target.ts';

const common = {
  ...plain,
  env: { NODE_OPTIONS: '--conditions=failopen-source' },
  topologies: ['single'],
} as const;
const program = (name: string) => ({ node: join(import.meta.dirname, `${name}-server.ts`) });

export const failopenPackage: readonly KnownTarget[] = [
  {
    ...common,
    name: 'failopen-express',
    about: 'the package `failopen` as middleware of Express',
    start: program('failopen-express'),
  },
  {
    ...common,
    name: 'failopen-express-rate-limit',
    about: "`express-rate-limit` with this project's store",
    start: program('failopen-express-rate-limit'),
  },
  {
    ...common,
    name: 'failopen-rate-limiter-flexible',
    about: "this project's limiter in the place of `rate-limiter-flexible`'s",
    start: program('failopen-rate-limiter-flexible'),
  },
];
