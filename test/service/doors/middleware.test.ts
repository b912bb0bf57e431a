// The middleware as service/README.md shows it: the snippet runs as it stands there.

import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { expect, it } from 'vitest';
import { createLimit } from '../../../service/core/limit.ts';
import { LocalStore } from '../../../service/core/local-store.ts';
import { createGate, rateLimit } from '../../../service/doors/middleware.ts';
import { policyOfHeader } from '../../../service/doors/policy.ts';

const page = readFileSync(new URL('../../../service/README.md', import.meta.url), 'utf8');

it('limits the requests of an Express application', async () => {
  const [, snippet = ''] = /^## As middleware$.*?^```ts\n(.*?)^```$/ms.exec(page) ?? [];
  const nowUs = () => performance.now() * 1000;
  const limit = createLimit({ name: 'default', capacity: 1, refillPerSecond: 0.001, fallbackCapacity: 1 });
  const parts = {
    app: express(),
    rateLimit,
    createGate,
    limiter: new LocalStore({ keysMax: 10, nowUs }),
    policies: [policyOfHeader(limit, undefined)],
    onMistake: () => {},
    onDefect: () => {},
  };
  new Function(...Object.keys(parts), stripTypeScriptTypes(snippet))(...Object.values(parts));
  const { app } = parts;
  app.get('/', (_, response) => void response.end('let through'));
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const statuses = [(await fetch(url)).status, (await fetch(url)).status];
  server.close();
  server.closeAllConnections();
  expect(statuses).toEqual([200, 429]);
});
