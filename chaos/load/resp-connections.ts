// Connections to one target that is asked as Redis is: each carries many commands at a time, and is answered in their order.
// What a command is answered is told as an HTTP client would hear it: 200 with the reply in JSON, or 500 with its error.

import { Redis, ReplyError } from 'ioredis';
import { giveUpMs } from '../failure.ts';
import type { OnAnswer, Requester, RequestSpec } from './connections.ts';
import { toldAs } from './http-answer.ts';

/** Few, as an application has them; a fault of one is the fault of many commands. */
const connectionCount = 8;

export class RespConnections implements Requester {
  readonly #host: string;
  readonly #port: number;
  readonly #clients: (Redis | undefined)[] = Array.from({ length: connectionCount });
  #turn = 0;

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#host = hostname;
    this.#port = Number(port);
  }

  /** Waits until there is a connection: no command costs nothing. */
  get(_path: string, _headers: Readonly<Record<string, string>>, onAnswer: OnAnswer): void {
    const client = this.#next();
    const over = () => {
      client.off('ready', over).off('end', over);
      onAnswer(undefined);
    };
    if (client.status === 'ready') onAnswer(undefined);
    else client.once('ready', over).once('end', over);
  }

  request({ method, body = '[]' }: RequestSpec, onAnswer: OnAnswer): void {
    this.#next()
      .call(method, JSON.parse(body))
      .then(
        (reply) => onAnswer(toldAs(200, JSON.stringify(reply))),
        (error: Error) => {
          if (error instanceof ReplyError) onAnswer(toldAs(500, error.message), error.message);
          else onAnswer(undefined, error.message);
        },
      );
  }

  close(): void {
    for (const client of this.#clients) client?.disconnect();
  }

  /** Its client in turn, anew where that is over. */
  #next(): Redis {
    const at = this.#turn++ % connectionCount;
    const before = this.#clients[at];
    if (before && before.status !== 'end') return before;
    const client = new Redis({
      host: this.#host,
      port: this.#port,
      protocol: 2, // nothing is sent before the first command
      commandTimeout: giveUpMs,
      connectTimeout: giveUpMs,
      disableClientInfo: true,
      enableReadyCheck: false,
      retryStrategy: () => null, // a connection that is lost is opened anew by the next command
    });
    client.setMaxListeners(0); // many wait for it at once
    client.on('error', () => {}); // told to each of its commands
    this.#clients[at] = client;
    return client;
  }
}
