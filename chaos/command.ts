// What holds for every command of the lab, whatever it does. Each imports this file first, for its effect.
//
// Output that nobody takes does not end a command: what it started must be ended and what it broke healed, and its exit
// status must stay that of its work. `| head`, a closed terminal and a viewer that died are no errors. A standard output
// that cannot be written for another reason, as on a full disk, is one: whoever reads the file must not take it for whole.
//
// The lab's own parts are on loopback, and no proxy is asked for loopback. With NODE_USE_ENV_PROXY=1 Node asks
// HTTP_PROXY for every address that NO_PROXY does not name; `fetch` looks at the variable each time, and children inherit it.

import { exitStatus } from './errors.ts';

/** The reader has gone, the terminal is closed, the other end of a socket has gone. */
const readerGone: ReadonlySet<string | undefined> = new Set(['EPIPE', 'EIO', 'ECONNRESET']);

process.stderr.on('error', () => {}); // there is no other place to tell it
process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
  if (readerGone.has(code)) return;
  process.stderr.write(`Standard output cannot be written: ${message}\n`);
  process.once('exit', () => {
    process.exitCode ||= exitStatus.broken;
  });
});

const loopback = ['127.0.0.1', 'localhost', '::1', '[::1]'];

/** What NO_PROXY must be; either spelling of it may name hosts already. */
export function directHosts({ NO_PROXY = '', no_proxy = '' }: NodeJS.ProcessEnv): string {
  const named = `${NO_PROXY},${no_proxy}`.split(/[\s,]+/).filter((host) => host !== '');
  return named.includes('*') ? '*' : [...new Set([...named, ...loopback])].join(',');
}

const direct = directHosts(process.env);
process.env.NO_PROXY = direct;
process.env.no_proxy = direct; // where there are both, Node looks at this one alone
