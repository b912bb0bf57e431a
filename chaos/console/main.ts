// `npm run console`: the lab in a browser, on loopback.

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import '../command.ts';
import { commandLine, outDirectory } from '../command-line.ts';
import { endWith, LabError, UsageError } from '../errors.ts';
import type { Scenario } from '../scenario.ts';
import { Guard } from './guard.ts';
import { consoleServer } from './server.ts';

const project = join(import.meta.dirname, '..', '..');
const usage = 'npm run console [-- --port N --host ADDRESS --out DIR]';

async function main(): Promise<void> {
  const { host, port, out } = readArguments();
  const guard = new Guard(host);
  await using console = consoleServer(await listScenarios(), out, guard);
  const { server } = console;
  server.listen(port, host);
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'EADDRINUSE' ? 'the port is in use; --port 0 takes a free one' : error.message;
    throw new LabError(`The console cannot listen on ${host}:${port}: ${why}`);
  });
  const at = host.includes(':') ? `[${host}]` : host;
  const url = `http://${at}:${(server.address() as AddressInfo).port}/?token=${guard.token}`;
  const ended = new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, resolve);
  });
  process.stdout.write(`console: ${url}\n`);
  if (!/^(127\.|::1$|localhost$)/.test(host)) {
    process.stderr.write(`Everybody who reaches ${host} and knows the token can break and stop things here.\n`);
  }
  await ended;
}

function readArguments(): { host: string; port: number; out: string } {
  const { values } = commandLine(
    {
      options: {
        host: { type: 'string', default: '127.0.0.1' },
        port: { type: 'string', default: '4600' },
        out: { type: 'string', default: join(project, 'runs') },
      },
    },
    usage,
  );
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > 65_535) {
    throw new UsageError(
      `--port is "${values.port}"; allowed: a whole number from 0 to 65535, 0 for any that is free.`,
    );
  }
  if (values.host === '') throw new UsageError('--host is ""; allowed: an address or name of this machine.');
  return { host: values.host, port, out: outDirectory(values.out) };
}

/** As the command line lists them: the lab does not import its scenarios. */
async function listScenarios(): Promise<Scenario[]> {
  const args = [join(project, 'scenarios', 'main.ts'), '--list', '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as Scenario[];
}

// Node would tell on every start that taking types off browser code is a young feature of it.
process.removeAllListeners('warning');
try {
  await main();
} catch (error) {
  endWith(error);
}
