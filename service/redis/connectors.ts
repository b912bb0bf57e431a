// How ioredis opens its connections: as it does by itself, with a guard on each. The Sentinels' connections, which
// ioredis makes on its own, are reached through its connector, too.

import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { AbstractConnector, type RedisOptions, SentinelConnector } from 'ioredis';
import { type Expects, guard } from './guard.ts';

/** To one address, or one path. */
export class GuardedConnector extends AbstractConnector {
  protected readonly options: RedisOptions;

  constructor(options: unknown) {
    super((options as RedisOptions).disconnectTimeout as number); // ioredis has filled in its defaults
    this.options = options as RedisOptions;
  }

  /** What may come on this connection. */
  protected get expects(): Expects {
    return 'replies';
  }

  async connect(): Promise<Socket> {
    this.connecting = true;
    await new Promise(process.nextTick); // ioredis listens for what follows only after this call
    if (!this.connecting) throw new Error('Connection is closed.');
    const { host, port, path, family, tls } = this.options;
    const where = path ? { path } : { host, port, family };
    const socket = tls ? connectTls({ ...where, ...tls } as ConnectionOptions) : connectTcp(where as { path: string });
    socket.once('error', (error) => {
      this.firstError = error;
    });
    this.stream = guard(socket, this.expects);
    return socket;
  }
}

class MessagesConnector extends GuardedConnector {
  protected override get expects(): Expects {
    return 'messages';
  }
}

/** ioredis's own, of which TypeScript is not to know. */
type ConnectToSentinel = (endpoint: unknown, options?: { readonly lazyConnect?: boolean }) => unknown;

/** To the master that the Sentinels name. */
export class GuardedSentinelConnector extends SentinelConnector {
  constructor(options: unknown) {
    super(options as ConstructorParameters<typeof SentinelConnector>[0]);
    const connector = this as unknown as { connectToSentinel: ConnectToSentinel };
    const connectToSentinel = connector.connectToSentinel;
    connector.connectToSentinel = (endpoint, own) =>
      connectToSentinel.call(this, endpoint, {
        ...own,
        // Those that wait to be connected are for the announcement of a failover.
        ...{ Connector: own?.lazyConnect ? MessagesConnector : GuardedConnector, disableClientInfo: true },
      });
  }

  override async connect(...args: Parameters<SentinelConnector['connect']>) {
    return guard(await super.connect(...args), 'replies');
  }
}
