// HTTP by hand, for what no client would send.

import { connect } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Only tells that the server hangs. */
const silentMsMax = 30_000;

/** Sends `text` as it is and reads until the server closes or the announced length is there. */
export function sendRaw(port: number, text: string): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port });
    let received = '';
    const finish = () => {
      socket.destroy();
      const [head = '', body = ''] = received.split(/\r\n\r\n([\s\S]*)/);
      const [first = '', ...lines] = head.split('\r\n');
      const headers = Object.fromEntries(
        lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
      );
      if (!/^HTTP\/1\.1 \d{3}/.test(first)) reject(new Error(`no HTTP answer: ${JSON.stringify(received)}`));
      else resolve({ status: Number(first.split(' ')[1]), headers, body });
    };
    socket.setEncoding('latin1');
    socket.setTimeout(silentMsMax, finish);
    socket.on('connect', () => socket.write(text, 'latin1'));
    socket.on('data', (chunk: string) => {
      received += chunk;
      const length = /\r\ncontent-length: *(\d+)/i.exec(received)?.[1];
      const bodyStart = received.indexOf('\r\n\r\n') + 4;
      if (length !== undefined && bodyStart > 3 && received.length - bodyStart >= Number(length)) finish();
    });
    socket.on('end', finish);
    socket.on('error', (error) => (received === '' ? reject(error) : finish()));
  });
}
