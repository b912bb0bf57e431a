// The console's HTTP: the page, its state as server-sent events, and five POSTs.

import { createServer, type Server } from 'node:http';
import express, { type NextFunction, type Request, type Response } from 'express';
import { driverNames } from '../drivers/choose.ts';
import { UsageError } from '../errors.ts';
import type { Scenario } from '../scenario.ts';
import { assets } from './assets.ts';
import { type Guard, pageHeaders, reportPolicy } from './guard.ts';
import { Busy, Lab } from './lab.ts';
import type { LabFacts } from './messages.ts';
import { PastRuns } from './past-runs.ts';
import { limits, manualRequest, runRequest, switchRequest } from './requests.ts';
import { Viewers } from './viewers.ts';

export interface ConsoleServer extends AsyncDisposable {
  readonly server: Server;
}

export function consoleServer(scenarios: readonly Scenario[], out: string, guard: Guard): ConsoleServer {
  const past = new PastRuns(out);
  const viewers = new Viewers();
  const lab = new Lab(scenarios, past, (name, data) => viewers.publish(name, data));
  const files = assets();
  const facts: LabFacts = {
    scenarios: scenarios.map(({ name, family, hypothesis }) => ({ name, family, hypothesis })),
    drivers: driverNames,
    limits,
  };
  const names = scenarios.map(({ name }) => name);

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use((request, response, next) => {
    response.set(pageHeaders);
    const { token } = request.query;
    const guarded = {
      method: request.method,
      headers: request.headers,
      token: token === undefined ? token : String(token),
    };
    const refused = guard.refusal({ ...guarded, token: request.path === '/' ? guarded.token : undefined });
    if (refused === undefined) next();
    else response.status(403).json({ error: refused });
  });
  app.get('/', (request, response, next) => {
    if (request.query.token !== undefined) response.set('Set-Cookie', guard.cookieFor(request.headers));
    next();
  });
  app.get('/events', (_request, response) => viewers.add(response, { facts, ...lab.state }));
  app.get('/runs/:name/report.html', (request, response, next) => {
    const report = past.report(request.params.name);
    if (report === undefined) next();
    else response.set('Content-Security-Policy', reportPolicy).type('html').send(report);
  });
  app.use((request, response, next) => {
    const asset = request.method === 'GET' ? files.get(request.path) : undefined;
    if (asset) response.set('Content-Type', asset.type).send(asset.text);
    else next();
  });

  app.use(express.json({ limit: '10kb', strict: false }));
  const post = (path: string, act: (body: unknown) => unknown) =>
    app.post(path, async (request, response) => {
      await act(request.body);
      response.status(204).end();
    });
  post('/run', (body) => lab.runScenario(runRequest(body, names, driverNames)));
  post('/manual', (body) => lab.runByHand(manualRequest(body, driverNames)));
  post('/switch', (body) => {
    if (lab.switches.length === 0) throw new Busy('There is no session by hand to switch in.');
    lab.switch(switchRequest(body, lab.switches));
  });
  post('/stop', () => lab.stop());
  app.use((request, response) => {
    response.status(404).json({ error: `There is no ${request.method} ${request.path}.` });
  });
  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    response.status(statusOf(error)).json({ error: error instanceof Error ? error.message : String(error) });
  });

  const server = createServer(app);
  return {
    server,
    async [Symbol.asyncDispose]() {
      await lab.stop();
      viewers[Symbol.dispose]();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Express's own errors, of a body that is no JSON, say theirs. */
function statusOf(error: unknown): number {
  if (error instanceof UsageError) return 400;
  if (error instanceof Busy) return 409;
  if (typeof error === 'object' && error !== null && 'status' in error) return Number(error.status);
  return 500;
}
