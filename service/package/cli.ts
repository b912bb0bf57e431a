#!/usr/bin/env node
// The command `failopen`.

import { readFileSync } from 'node:fs';

const help = `failopen                     starts the rate limiter as a service
failopen check-config PATH   tells what is wrong with a file of policies, or
                             with a directory of Envoy's rules
failopen --version
failopen --help

Its settings are environment variables: PORT is where the service listens, and
REDIS_URL or REDIS_ADDR is where its Redis is.
`;

/** sysexits.h */
const exitUsage = 64;
const exitBadConfig = 78;

const [command, ...rest] = process.argv.slice(2);
const [path = '-'] = rest;
const isPath = rest.length === 1 && !path.startsWith('-'); // a file of such a name is ./-name
const asksForHelp = command === 'check-config' ? rest : process.argv.slice(2);
if (command === undefined) await import('../main.ts');
else if (asksForHelp.length === 1 && asksForHelp[0] === '--help') process.stdout.write(help);
else if (command === '--version' && rest.length === 0) process.stdout.write(`${version()}\n`);
else if (command === 'check-config' && isPath) await check(path);
else {
  const given = process.argv.slice(2).map((argument) => JSON.stringify(argument));
  process.stderr.write(`failopen is called with ${given.join(' ')}; allowed:\n${help}`);
  process.exitCode = exitUsage;
}

async function check(path: string): Promise<void> {
  const { checkConfig } = await import('./check-config.ts');
  const checked = checkConfig(path, Boolean(process.env.REDIS_CLUSTER_ADDRS));
  if ('found' in checked) process.stdout.write(`${checked.found}\n`);
  else {
    process.stderr.write(`${checked.mistakes.join('\n')}\n`);
    process.exitCode = exitBadConfig;
  }
}

function version(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;
}
