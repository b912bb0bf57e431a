// The way to a server that speaks HTTP/2 from the first byte on.

import { connect, isIP, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';

/** By TLS where the address begins with https. `onOpen` is told once what is written goes out. */
export function openSocket(url: string, onOpen: () => void): Socket {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  if (protocol !== 'https:') return connect({ host, port: Number(port || 80), noDelay: true }, onOpen);
  const servername = isIP(host) ? '' : host; // no name is sent for an address (RFC 6066)
  return connectSecurely({ host, port: Number(port || 443), servername, ALPNProtocols: ['h2'] }, onOpen).setNoDelay();
}
