// A network namespace of the lab's own, on the way to Redis: every packet passes through it twice, and a rule of its own
// firewall can drop them. No process runs in it, and the machine's own firewall stays as it is.
//
//   limiter ── outer ═══ veth ═══ inner ── FORWARD, DROP? ── inner ═══ veth ═══ outer ──▶ Toxiproxy ──▶ Redis
//                                   └──── DNAT to outer, SNAT to inner ────┘

import { execFile, execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { promisify } from 'node:util';
import type { PacketFilter, Stream } from '../environment.ts';
import { LabError } from '../errors.ts';

const run = promisify(execFile);
const commandMsMax = 5000;
/** A namespace has names of its own. */
const innerInterface = 'eth0';
/** How a rule finds the packets of a link, by its port. */
const portOf: Readonly<Record<Stream, string>> = { upstream: '--dport', downstream: '--sport' };

/** The name of a namespace: the number of the record that tells of it is part of it. */
export const namespaceName: RegExp = /^failopen-[0-9a-f]{12}$/;

/** Why there can be none on this machine; undefined when there can. */
export function noNamespaceBecause(): string | undefined {
  if (process.platform !== 'linux') return 'only Linux has network namespaces';
  if (process.getuid?.() !== 0) return 'only root can make a network namespace';
  const tries = {
    'no program ip': ['ip', '-V'],
    'no program iptables': ['iptables', '-V'],
    'no right to make a network namespace': ['unshare', '--mount', '--net', 'iptables', '-w', '-t', 'nat', '-S'],
  };
  const failed = Object.entries(tries).find(([, command]) => !succeeds(command));
  return failed && `there is ${failed[0]}`;
}

function succeeds([program = '', ...args]: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore', timeout: commandMsMax });
    return true;
  } catch {
    return false;
  }
}

export class NetworkNamespace {
  /** The addresses of its two ends: of this machine's, where Toxiproxy listens, and of its own, where the limiters ask. */
  readonly outer: string;
  readonly inner: string;
  readonly #name: string;

  private constructor(name: string, subnet: Subnet) {
    this.#name = name;
    this.outer = subnet.outer;
    this.inner = subnet.inner;
  }

  /** Under a name that is noted already. */
  static async create(name: string): Promise<NetworkNamespace> {
    const subnet = freeSubnet();
    const { outer, inner } = subnet;
    const outerInterface = outerInterfaceOf(name);
    const inside = ['netns', 'exec', name];
    await ip('netns', 'add', name);
    await ip('link', 'add', outerInterface, 'type', 'veth', 'peer', 'name', innerInterface, 'netns', name);
    await ip('address', 'add', `${outer}/30`, 'dev', outerInterface);
    await ip('link', 'set', outerInterface, 'up');
    await ip('-n', name, 'address', 'add', `${inner}/30`, 'dev', innerInterface);
    await ip('-n', name, 'link', 'set', innerInterface, 'up');
    await ip(...inside, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward');
    const nat = [...inside, 'iptables', '-w', '-t', 'nat', '-A'];
    await ip(...nat, 'PREROUTING', '-p', 'tcp', '-j', 'DNAT', '--to-destination', outer);
    await ip(...nat, 'POSTROUTING', '-j', 'SNAT', '--to-source', inner);
    return new NetworkNamespace(name, subnet);
  }

  /** Of the packets to and from this port of its outer end. */
  filterOf(port: number): PacketFilter {
    const dropped = new Set<Stream>();
    const rule = (action: '-A' | '-D', stream: Stream) => {
      const packets = ['-p', 'tcp', portOf[stream], String(port)];
      return ip('netns', 'exec', this.#name, 'iptables', '-w', action, 'FORWARD', ...packets, '-j', 'DROP');
    };
    return {
      async drop(stream) {
        if (dropped.has(stream)) return;
        dropped.add(stream);
        await rule('-A', stream);
      },
      async pass(stream) {
        if (dropped.delete(stream)) await rule('-D', stream);
      },
    };
  }
}

interface Subnet {
  readonly outer: string;
  readonly inner: string;
}

/** Of 198.18.0.0/15, which nothing but measurements of networks uses (RFC 2544): four addresses that this machine has not. */
function freeSubnet(): Subnet {
  const used = new Set(Object.values(networkInterfaces()).flatMap((its) => (its ?? []).map(({ address }) => address)));
  for (;;) {
    const [second, third, fourth] = [18 + randomInt(2), randomInt(256), 4 * randomInt(64)];
    const at = (host: number) => `198.${second}.${third}.${fourth + host}`;
    if (!used.has(at(1))) return { outer: at(1), inner: at(2) };
  }
}

/** What is there of a namespace of this name: one phrase for each thing. */
export function leftOfNamespace(name: string): string[] {
  const outerInterface = outerInterfaceOf(name);
  return [
    ...(existsSync(`/var/run/netns/${name}`) ? [`the network namespace ${name}`] : []),
    ...(existsSync(`/sys/class/net/${outerInterface}`) ? [`the network interface ${outerInterface}`] : []),
  ];
}

/** Removes it with all its rules. Safe to call when there is none. */
export async function removeNamespace(name: string): Promise<void> {
  const outerInterface = outerInterfaceOf(name);
  // The kernel removes a pair with its namespace as well, but some time afterwards.
  if (existsSync(`/sys/class/net/${outerInterface}`)) await ip('link', 'delete', outerInterface);
  if (existsSync(`/var/run/netns/${name}`)) await ip('netns', 'delete', name);
}

/** The kernel allows names of 15 characters. */
function outerInterfaceOf(name: string): string {
  return name.replace('failopen-', 'fo');
}

async function ip(...args: string[]): Promise<void> {
  await run('ip', args, { timeout: commandMsMax }).catch((error: Error & { stderr?: string }) => {
    throw new LabError(`ip ${args.join(' ')}: ${(error.stderr || error.message).trim()}`);
  });
}
