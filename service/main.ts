// The process: environment, signals, exit status. Nothing else in the service touches those.

import { pino } from 'pino';
import { type App, startApp } from './app.ts';
import { type Config, ConfigError, readConfig } from './config.ts';

/** sysexits.h EX_CONFIG */
const exitBadConfig = 78;
const shutdownGraceMs = 10_000;

function configOrExit(): Config {
  try {
    return readConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`The environment is not usable:\n  ${error.message.replaceAll('\n', '\n  ')}\n`);
    process.exit(exitBadConfig);
  }
}

const config = configOrExit();
const log = pino({ level: config.logLevel });

let app: App;
try {
  app = await startApp(config, log);
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException;
  const why = code === 'EADDRINUSE' ? 'the port is taken; choose another with PORT' : message;
  process.stderr.write(`Cannot listen on ${config.host}:${config.port}: ${why}\n`);
  process.exit(1);
}
log.info({ host: config.host, port: config.port }, `listening on http://${config.host}:${config.port}`);

let stopping = false;
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, async () => {
    if (stopping) return;
    stopping = true;
    log.info(`${signal}: answering what was accepted, then stopping`);
    await app.stop(shutdownGraceMs);
    log.info('stopped');
    process.exit(0);
  });
}
