// The ways in which `npm run setup` gets programs onto a machine.

import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LabError } from '../errors.ts';
import { type Binary, labBin } from '../host/binaries.ts';

const toxiproxyVersion = '2.12.0';
const toxiproxyModule = 'github.com/Shopify/toxiproxy/v2';
const installMsMax = 10 * 60_000;

type Name = Binary['name'];

/** One way to get programs. Throws when a command fails. */
export interface Route {
  readonly serves: readonly Name[];
  readonly available: () => Promise<boolean>;
  readonly install: (names: readonly string[]) => Promise<void>;
}

const apt: Route = {
  serves: ['redis-server', 'prometheus'],
  available: async () => process.getuid?.() === 0 && (await has('apt-get')),
  async install(names) {
    // RUNLEVEL=1 keeps Debian from starting them as services: the lab starts its own.
    const env = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
    await run('apt-get', ['-q', 'update'], env);
    await run('apt-get', ['-q', 'install', '-y', '--no-install-recommends', ...names], env);
  },
};

const formulae: Readonly<Record<Name, string>> = {
  'redis-server': 'redis',
  'toxiproxy-server': 'toxiproxy',
  prometheus: 'prometheus',
  chromium: 'chromium',
};
const brew: Route = {
  serves: ['redis-server', 'toxiproxy-server', 'prometheus'],
  available: () => has('brew'),
  install: (names) => run('brew', ['install', ...names.map((name) => formulae[name as Name] ?? name)]),
};

const go: Route = {
  serves: ['toxiproxy-server'],
  available: () => has('go'),
  async install() {
    mkdirSync(labBin, { recursive: true });
    const version = `-X ${toxiproxyModule}.Version=${toxiproxyVersion}`;
    const what = `${toxiproxyModule}/cmd/server@v${toxiproxyVersion}`;
    await run(await recentGo(), ['install', '-ldflags', version, what], { GOBIN: labBin });
    renameSync(join(labBin, 'server'), join(labBin, 'toxiproxy-server'));
  },
};

const aptGo: Route = {
  serves: ['toxiproxy-server'],
  available: async () => (await apt.available()) && !(await has('go')),
  async install(names) {
    await apt.install(['golang-go', 'ca-certificates']);
    await go.install(names);
  },
};

/** Not on Ubuntu, whose package of this name only asks for a snap. */
const aptChromium: Route = {
  serves: ['chromium'],
  available: async () => (await apt.available()) && /^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8')),
  install: (names) => apt.install(names),
};

const playwright: Route = {
  serves: ['chromium'],
  available: async () => true,
  async install() {
    const dependencies = (await apt.available()) ? ['--with-deps'] : [];
    await run('npx', ['playwright', 'install', ...dependencies, 'chromium']);
    const { chromium } = await import('@playwright/test');
    mkdirSync(labBin, { recursive: true });
    rmSync(join(labBin, 'chromium'), { force: true });
    symlinkSync(chromium.executablePath(), join(labBin, 'chromium'));
  },
};

/**
 * A Go that can build the module. Since 1.21 every Go fetches the version that a module asks for. An older one, as in
 * Debian 12, is made to fetch such a version as the module that it is distributed as.
 */
async function recentGo(): Promise<string> {
  const minor = Number(/go1\.(\d+)/.exec(await output('go', ['version']))?.[1]);
  if (minor >= 21) return 'go';
  const platform = `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`;
  const toolchain = `golang.org/toolchain@v0.0.1-go1.23.12.${platform}`;
  const { Dir } = JSON.parse(await output('go', ['mod', 'download', '-json', toolchain])) as { Dir: string };
  // Module archives carry no executable bits, and the cache is read-only.
  await run('chmod', ['-R', 'u+rwX', Dir]);
  await run('sh', ['-c', 'chmod +x "$0"/bin/* "$0"/pkg/tool/*/*', Dir]);
  return join(Dir, 'bin', 'go');
}

/** In order of preference. */
export const routes: readonly Route[] = [apt, brew, go, aptGo, aptChromium, playwright];

/** What to type where no route leads. */
export const byHand: Readonly<Record<Name, string>> = {
  'redis-server': 'sudo apt-get install redis-server   (or brew install redis)',
  prometheus: 'sudo apt-get install prometheus   (or brew install prometheus)',
  chromium: 'sudo apt-get install chromium   (or CHROMIUM=/path/to/chrome)',
  'toxiproxy-server': `GOBIN="$PWD/.lab/bin" go install ${toxiproxyModule}/cmd/server@v${toxiproxyVersion} && mv .lab/bin/server .lab/bin/toxiproxy-server`,
};

async function has(command: string): Promise<boolean> {
  const lookup = process.platform === 'win32' ? 'where' : 'which';
  return promisify(execFile)(lookup, [command]).then(
    () => true,
    () => false,
  );
}

async function run(command: string, args: readonly string[], env: Record<string, string> = {}): Promise<void> {
  await output(command, args, env);
}

/** Says the command and gives what it prints on standard output. Throws with the end of all that it said. */
async function output(command: string, args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  print(`$ ${command} ${args.join(' ')}`);
  const options = { env: { ...process.env, ...env }, timeout: installMsMax, maxBuffer: 64 * 1024 * 1024 };
  try {
    return (await promisify(execFile)(command, [...args], options)).stdout;
  } catch (error) {
    const { stdout = '', stderr = '', code } = error as { stdout?: string; stderr?: string; code?: number | string };
    const tail = `${stdout}${stderr}`.trim().split('\n').slice(-5).join('\n');
    throw new LabError(`${command} ${args[0]} ended with status ${code}:\n${tail}`);
  }
}

export function print(line: string): void {
  process.stdout.write(`setup: ${line}\n`);
}
