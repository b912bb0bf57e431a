// The way to what is loaded: TCP, or TLS where its address begins with https.

import { connect, isIP, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';

export interface Peer {
  readonly host: string;
  readonly port: number;
  /** By TLS. */
  readonly secure: boolean;
}

export function peerOf(url: string): Peer {
  const { protocol, hostname, port } = new URL(url);
  const secure = protocol === 'https:';
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || (secure ? 443 : 80)), secure };
}

interface Wish {
  readonly onread?: OnReadOpts;
  /** Of TLS. */
  readonly ALPNProtocols?: string[];
}

export function openSocket({ host, port, secure }: Peer, wish: Wish): Socket {
  const servername = isIP(host) ? '' : host; // no name is sent for an address (RFC 6066)
  const options = { host, port, servername, ...wish };
  return (secure ? connectSecurely(options) : connect(options)).setNoDelay();
}
