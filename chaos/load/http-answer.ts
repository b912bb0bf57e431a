// An HTTP/1.1 answer (RFC 9112) in what a connection received, each byte as one character.

export interface HttpAnswer {
  readonly status: number;
  /** A header's value; `name` in lower case. */
  readonly header: (name: string) => string | undefined;
  /** The body as text. */
  readonly body: () => string;
  /** Bytes of head and body. */
  readonly length: number;
  /** Whether the connection takes no further request. */
  readonly last: boolean;
}

/** What came by another protocol, as an HTTP client would hear it. */
export function toldAs(status: number, body: string, header: HttpAnswer['header'] = () => undefined): HttpAnswer {
  return { status, header, body: () => body, length: body.length, last: false };
}

/** Larger answers are refused. */
const bytesMax = 1024 * 1024;
const blankLine = '\r\n\r\n';

/**
 * The answer at the beginning of `received`; undefined as long as it is not whole. `ended`: no more will come.
 * @throws {Error} if what is there is no answer.
 */
export function answerIn(received: string, ended: boolean): HttpAnswer | undefined {
  if (received.length > bytesMax) throw new Error(`an answer of more than ${bytesMax} bytes`);
  const headEnd = received.indexOf(blankLine);
  if (headEnd < 0) {
    if (received.startsWith('HTTP/1.'.slice(0, received.length))) return undefined;
    throw new Error(`no HTTP/1.1 answer: ${JSON.stringify(received.slice(0, 40))}`);
  }
  const [, version, code] = /^HTTP\/1\.([01]) ([1-9]\d\d)[ \r]/.exec(received) ?? [];
  if (code === undefined) throw new Error(`no HTTP/1.1 answer: ${JSON.stringify(received.slice(0, 40))}`);
  const bodyStart = headEnd + blankLine.length;
  if (code < '200') {
    const final = answerIn(received.slice(bodyStart), ended);
    return final && { ...final, length: bodyStart + final.length };
  }

  const head = received.slice(0, headEnd + 2);
  const lowerCase = head.toLowerCase();
  const header = (name: string) => {
    const at = lowerCase.indexOf(`\r\n${name}:`);
    return at < 0 ? undefined : head.slice(at + name.length + 3, head.indexOf('\r\n', at + 2)).trim();
  };
  const length = endOfBody(received, bodyStart, code, header, ended);
  if (length === undefined) return undefined;
  const connection = connectionOptions(lowerCase);
  return {
    status: Number(code),
    header,
    body: () => Buffer.from(bodyIn(received, bodyStart, length, header), 'latin1').toString(),
    length,
    last: ended || connection.includes('close') || (version === '0' && !connection.includes('keep-alive')),
  };
}

/** The header is a list, and may come in several lines (RFC 9110, 7.6.1). */
function connectionOptions(lowerCaseHead: string): string[] {
  return [...lowerCaseHead.matchAll(/\r\nconnection:([^\r]*)/g)]
    .flatMap(([, value = '']) => value.split(','))
    .map((option) => option.trim());
}

function bodyIn(received: string, start: number, end: number, header: HttpAnswer['header']): string {
  if (header('transfer-encoding')?.toLowerCase() !== 'chunked') return received.slice(start, end);
  let body = '';
  for (let at = start; ; ) {
    const lineEnd = received.indexOf('\r\n', at);
    const bytes = Number.parseInt(received.slice(at, lineEnd), 16);
    if (bytes === 0) return body;
    body += received.slice(lineEnd + 2, lineEnd + 2 + bytes);
    at = lineEnd + 2 + bytes + 2;
  }
}

/** Where the body ends; undefined as long as it has not. */
function endOfBody(
  received: string,
  start: number,
  code: string,
  header: HttpAnswer['header'],
  ended: boolean,
): number | undefined {
  if (code === '204' || code === '304') return start;
  if (header('transfer-encoding')?.toLowerCase() === 'chunked') return endOfChunks(received, start);
  const declared = header('content-length');
  if (declared === undefined) return ended ? received.length : undefined;
  if (!/^\d+$/.test(declared)) throw new Error(`content-length: ${declared}`);
  const end = start + Number(declared);
  return end <= received.length ? end : undefined;
}

function endOfChunks(received: string, start: number): number | undefined {
  for (let at = start; ; ) {
    const lineEnd = received.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const [size] = /^[0-9a-f]+/i.exec(received.slice(at, lineEnd)) ?? [];
    if (size === undefined) throw new Error(`size of a chunk: ${received.slice(at, lineEnd)}`);
    const bytes = Number.parseInt(size, 16);
    if (bytes === 0) {
      // Trailers, if any, and an empty line.
      const end = received.indexOf(blankLine, lineEnd);
      return end < 0 ? undefined : end + blankLine.length;
    }
    at = lineEnd + 2 + bytes + 2;
    if (at > received.length) return undefined;
  }
}
