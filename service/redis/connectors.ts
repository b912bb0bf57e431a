// How ioredis opens its connections: as it does by itself, with a guard on each. The Sentinels' connections, which
// ioredis makes on its own, are reached through its connector, too.

import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { AbstractConnector, type Redis, type RedisOptions, SentinelConnector } from 'ioredis';
import type { StoreError } from '../core/store.ts';
import { connectionErrorOf, type Expects, guard } from './guard.ts';

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
    forgetClosed(this, socket);
    return socket;
  }
}

class MessagesConnector extends GuardedConnector {
  protected override get expects(): Expects {
    return 'messages';
  }
}

/** ioredis's own, of which TypeScript is not to know. */
interface SentinelMethods {
  connectToSentinel(endpoint: object, options?: { readonly lazyConnect?: boolean }): Redis;
  resolve(endpoint: object): Promise<unknown>;
}

/** To the master that the Sentinels name. */
export class GuardedSentinelConnector extends SentinelConnector {
  constructor(options: unknown) {
    super(options as ConstructorParameters<typeof SentinelConnector>[0]);
    const connector = this as unknown as SentinelMethods;
    const { connectToSentinel, resolve } = connector;
    /** Why a Sentinel cannot be asked, of which ioredis knows only that the connection is closed. */
    const causes = new WeakMap<object, StoreError>();
    connector.connectToSentinel = (endpoint, own) => {
      // Those that wait to be connected are for the announcement of a failover.
      const guarded = { Connector: own?.lazyConnect ? MessagesConnector : GuardedConnector, disableClientInfo: true };
      const sentinel = connectToSentinel.call(this, endpoint, { ...own, ...guarded });
      causes.delete(endpoint);
      sentinel.on('error', (error) => {
        if (!causes.has(endpoint))
          causes.set(endpoint, connectionErrorOf(error, sentinel.stream as Socket | undefined));
      });
      return sentinel;
    };
    connector.resolve = async (endpoint) => {
      try {
        return await resolve.call(this, endpoint);
      } catch (error) {
        throw causes.get(endpoint) ?? error;
      }
    };
  }

  override async connect(...args: Parameters<SentinelConnector['connect']>) {
    const socket = guard(await super.connect(...args), 'replies');
    forgetClosed(this, socket);
    return socket;
  }
}

/** Told to disconnect what is closed, ioredis waits for its close: by a timer of two seconds, which keeps the process alive. */
function forgetClosed(connector: AbstractConnector, socket: Socket): void {
  const it = connector as unknown as { stream: Socket | undefined };
  socket.once('close', () => {
    if (it.stream === socket) it.stream = undefined;
  });
}
