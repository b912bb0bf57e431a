// A Redis that is killed within its container, and started again there.
//
// Were the container killed instead, Docker and the kernel would take down its namespaces, its address and its control
// group in the very milliseconds that an experiment looks at, and on two cores everything else would wait for that up to 60 ms.
// The address would be gone as well: what is sent there gets no answer for seconds, where a host that lives refuses.

import { until } from '../clock.ts';
import type { RedisHandle } from '../environment.ts';
import { LabError } from '../errors.ts';
import type { Container } from '../host/engine.ts';
import { ping } from '../host/ping.ts';
import { type Address, answers, onceEach, redisPort } from './links.ts';
import { serverArgs } from './redis-node.ts';

/** In the container's own layer: a node of several must know afterwards who it was. */
export const dataDirectory = '/tmp';

const killMsMax = 5000;

/**
 * Runs a command, kills it and starts it again, as it is told on its standard input. When the command ends untold, so does
 * the container, and is missed. Told to kill, the shell starts no program for it: that, too, would run in those milliseconds.
 */
const script = `
cd ${dataDirectory}
trap 'exit 1' TERM
serve() { ("$@" & echo $! > pid; wait; [ -e killed ] || kill 1) & }
serve "$@"
while read -r word; do
  case $word in
    kill) : > killed; read -r pid < pid; kill -9 "$pid" ;;
    start) rm killed; serve "$@" ;;
  esac
done`;

/** What the container runs in place of its image's own entry point; it needs an open standard input. */
export const supervisor = ['sh', '-c', script, 'supervisor'];

/** Redis with these options, without a copy of its data anywhere. */
export function redisCommand(settings: Readonly<Record<string, string>> = {}): string[] {
  const common = { port: String(redisPort), 'protected-mode': 'no', dir: dataDirectory };
  return ['redis-server', ...serverArgs({ ...common, ...settings })];
}

export type Orders = Awaited<ReturnType<Container['attach']>>;

/** The way to the supervisor's ear. Whoever opens it ends it. */
export function ordersTo(container: Container): Promise<Orders> {
  return container.attach({ stream: true, stdin: true, hijack: true });
}

/** `at` is a way to it that is never faulted. */
export function supervisedRedis(name: string, orders: Orders, at: Address): RedisHandle {
  const isGone = async () => ((await ping(at.host, at.port, 500)).outcome === 'pong' ? undefined : true);
  return onceEach({
    async kill() {
      orders.write('kill\n');
      if (!(await until(killMsMax, 20, isGone)))
        throw new LabError(`${name} was not gone within ${killMsMax / 1000} s`);
    },
    async start() {
      orders.write('start\n');
      await answers(name, at);
    },
  });
}
