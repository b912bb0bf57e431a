// The process: environment, what its signals do, exit status. Nothing else in the service touches those. With WORKERS it
// is the primary, and runs itself again as each of the workers.

import { fork } from 'node:child_process';
import { extname, join } from 'node:path';
import { type Logger, pino } from 'pino';
import { createService, startApp } from './app.ts';
import { type Config, ConfigError, readConfig, readConfigAtStart } from './config/env.ts';
import { shareOf } from './config/share.ts';
import { sourceNames, sourceSettings, type Written } from './config/source.ts';
import { WatchedSource } from './config/watched-source.ts';
import { CannotListen } from './doors/ports.ts';
import { LogOutput } from './log-output.ts';
import type { Signals } from './signals.ts';
import { startPrimary } from './workers/primary.ts';
import { work } from './workers/worker.ts';

/** sysexits.h EX_CONFIG */
const exitBadConfig = 78;
const shutdownGraceMs = 10_000;
/** For the last lines of the log. Where nobody reads it, the end waits so long. */
const logMsMax = 500;

async function configOrExit(): Promise<Config> {
  try {
    return await readConfigAtStart(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`The environment is not usable:\n  ${error.message.replaceAll('\n', '\n  ')}\n`);
    process.exit(exitBadConfig);
  }
}

const forkWorker = (number: number) =>
  fork(join(import.meta.dirname, `main${extname(import.meta.filename)}`), ['worker', String(number)], {
    serialization: 'advanced',
  }); // JSON has no NaN

/** Whoever holds the ports: this process alone, or the primary. */
interface Serving {
  stop(graceMs: number): Promise<void>;
  setWritten(news: Written): void;
}

async function startOrExit(config: Config, log: Logger, reloaded: readonly WatchedSource[]): Promise<Serving> {
  const sources = { output, reloaded };
  try {
    return config.workers === 1
      ? await startApp(config, log, sources)
      : await startPrimary(config, log, sources, forkWorker);
  } catch (error) {
    const { message } = error as Error;
    process.stderr.write(`${error instanceof CannotListen ? message : `Cannot start: ${message}`}\n`);
    return exit(1);
  }
}

async function exit(status: number): Promise<never> {
  await output.written(logMsMax);
  process.exit(status);
}

export async function serve(signals: Signals): Promise<void> {
  const config = await configOrExit();
  const log = pino({ level: config.logLevel }, output);
  const { written, policiesOptions: options } = config;
  const watched = config.sources.map(
    (source) => new WatchedSource({ ...source, options, written: written[source.name] }, log),
  );
  const starting = startOrExit(config, log, watched);
  let stopping = false;
  signals.listen(async (signal) => {
    if (signal === 'SIGHUP') {
      for (const source of watched) source.reload();
      const unset = sourceNames.map((name) => sourceSettings[name]).join(' and ');
      if (watched.length === 0) log.info(`SIGHUP: ${unset} are not set, so there is nothing to read again`);
      return;
    }
    if (stopping) return;
    stopping = true;
    log.info(`${signal}: answering what was accepted, then stopping`);
    for (const source of watched) source.stop();
    await (await starting).stop(shutdownGraceMs);
    log.info('stopped');
    await exit(0);
  });
  const serving = await starting;
  for (const { door, port } of config.ports)
    log.info({ host: config.host, port }, `listening on ${door}://${config.host}:${port}`);
  for (const source of watched) source.watch((news) => serving.setWritten(news));
}

export async function serveAsWorker(): Promise<void> {
  await work((primary, written) => {
    const config = readConfig(process.env, written as Written); // as the primary has read it
    const log = pino({ level: config.logLevel }, output).child({ worker: Number(process.argv[3]) });
    return createService(shareOf(config), log, { output }, primary);
  }, shutdownGraceMs);
  await exit(0);
}

process.stderr.on('error', () => {}); // whoever read it has gone; that is no reason to end
const output = new LogOutput();
