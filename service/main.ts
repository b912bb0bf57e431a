// The process: environment, signals, exit status. Nothing else in the service touches those. With WORKERS it is the
// primary, and runs itself again as each of the workers.

import { fork } from 'node:child_process';
import { pino } from 'pino';
import { createService, startApp } from './app.ts';
import { type Config, ConfigError, readConfig, readConfigAtStart } from './config/env.ts';
import { shareOf } from './config/share.ts';
import { LogOutput } from './log-output.ts';
import { startPrimary } from './workers/primary.ts';
import { work } from './workers/worker.ts';

/** sysexits.h EX_CONFIG */
const exitBadConfig = 78;
const shutdownGraceMs = 10_000;
/** For the last lines of the log. Where nobody reads it, the end waits so long. */
const logMsMax = 500;
const isWorker = process.argv[2] === 'worker';
/** SIGHUP: the terminal is closed. */
const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** A worker believes what the primary has looked up. */
async function configOrExit(): Promise<Config> {
  try {
    return isWorker ? readConfig(process.env) : await readConfigAtStart(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`The environment is not usable:\n  ${error.message.replaceAll('\n', '\n  ')}\n`);
    process.exit(exitBadConfig);
  }
}

const config = await configOrExit();
process.stderr.on('error', () => {}); // whoever read it has gone; that is no reason to end
const output = new LogOutput();
const log = pino({ level: config.logLevel }, output);

const forkWorker = (number: number) =>
  fork(import.meta.filename, ['worker', String(number)], { serialization: 'advanced' }); // JSON has no NaN

/** Whoever holds the port: this process alone, or the primary. */
async function startOrExit(): Promise<{ stop(graceMs: number): Promise<void> }> {
  try {
    return config.workers === 1
      ? await startApp(config, log, output)
      : await startPrimary(config, log, output, forkWorker);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'the port is taken; choose another with PORT' : message;
    process.stderr.write(`Cannot listen on ${config.host}:${config.port}: ${why}\n`);
    return exit(1);
  }
}

async function exit(status: number): Promise<never> {
  await output.written(logMsMax);
  process.exit(status);
}

async function serve(): Promise<void> {
  const starting = startOrExit();
  let stopping = false;
  // At once: a container's first process hears no signal that it does not ask for.
  for (const signal of signals) {
    process.on(signal, async () => {
      if (stopping) return;
      stopping = true;
      log.info(`${signal}: answering what was accepted, then stopping`);
      await (await starting).stop(shutdownGraceMs);
      log.info('stopped');
      await exit(0);
    });
  }
  await starting;
  log.info({ host: config.host, port: config.port }, `listening on http://${config.host}:${config.port}`);
}

if (isWorker) {
  // A signal to the whole group, as Ctrl-C is, is the primary's to act on; it tells when to stop.
  for (const signal of signals) process.on(signal, () => {});
  const workerLog = log.child({ worker: Number(process.argv[3]) });
  await work((whole) => createService(shareOf(config), workerLog, output, whole), shutdownGraceMs);
  await exit(0);
}
await serve();
