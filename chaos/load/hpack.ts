// Header blocks of HTTP/2 (RFC 7541). All that a server may send is read; what is sent names nothing that it had to remember.
//
//   indexed field    1iiiiiii                        both of entry i
//   literal field    01iiiiii 0000iiii 0001iiii      the name of entry i, or of its own where i is 0, and a value; only the
//                                                    first is remembered
//   size update      001nnnnn                        of what is remembered

/** Entry 1 is the first. */
const staticTable: readonly Field[] = [
  ...[
    [':authority', ''],
    [':method', 'GET'],
    [':method', 'POST'],
    [':path', '/'],
    [':path', '/index.html'],
  ],
  ...[
    [':scheme', 'http'],
    [':scheme', 'https'],
  ],
  ...['200', '204', '206', '304', '400', '404', '500'].map((status) => [':status', status]),
  ...[
    ['accept-charset', ''],
    ['accept-encoding', 'gzip, deflate'],
  ],
  ...(
    'accept-language accept-ranges accept access-control-allow-origin age allow authorization cache-control ' +
    'content-disposition content-encoding content-language content-length content-location content-range content-type ' +
    'cookie date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since ' +
    'last-modified link location max-forwards proxy-authenticate proxy-authorization range referer refresh retry-after ' +
    'server set-cookie strict-transport-security transfer-encoding user-agent vary via www-authenticate'
  )
    .split(' ')
    .map((name) => [name, '']),
] as [string, string][];

/** The bytes whose codes have so many bits, in the order of their codes (appendix B). 256 ends a text. */
const bytesOfBits: Readonly<Record<number, string>> = {
  5: '48-50 97 99 101 105 111 115 116',
  6: '32 37 45-47 51-57 61 65 95 98 100 102-104 108-110 112 114 117',
  7: '58 66-87 89 106 107 113 118-122',
  8: '38 42 44 59 88 90',
  10: '33 34 40 41 63',
  11: '39 43 124',
  12: '35 62',
  13: '0 36 64 91 93 126',
  14: '94 125',
  15: '60 96 123',
  19: '92 195 208',
  20: '128 130 131 162 184 194 224 226',
  21: '153 161 167 172 176 177 179 209 216 217 227 229 230',
  22: '129 132-134 136 146 154 156 160 163 164 169 170 173 178 181 185-187 189 190 196 198 228 232 233',
  23: '1 135 137-141 143 147 149-152 155 157 158 165 166 168 174 175 180 182 183 188 191 197 231 239',
  24: '9 142 144 145 148 159 171 206 215 225 236 237',
  25: '199 207 234 235',
  26: '192 193 200-202 205 210 213 218 219 238 240 242 243 255',
  27: '203 204 211 212 214 221-223 241 244-248 250-254',
  28: '2-8 11 12 14-21 23-31 127 220 249',
  30: '10 13 22 256',
};
const [bitsMin, bitsMax] = [5, 30];

const byteOfCode = new Map<number, number>();
for (let [bits, code] = [bitsMin, 0]; bits <= bitsMax; bits++, code *= 2) {
  for (const range of bytesOfBits[bits]?.split(' ') ?? []) {
    const [first = 0, last = first] = range.split('-').map(Number);
    for (let byte = first; byte <= last; byte++) byteOfCode.set(keyOf(code++, bits), byte);
  }
}

function keyOf(code: number, bits: number): number {
  return bits * 2 ** bitsMax + code;
}

export type Field = readonly [name: string, value: string];

/** RFC 7541: what an entry takes beside its text, and the space for all where nobody says otherwise. */
const entryBytes = 32;
export const tableBytesUsual = 4096;

export class HeaderDecoder {
  /** The newest first. */
  readonly #remembered: Field[] = [];
  #bytes = 0;
  #bytesMax = tableBytesUsual;

  /** The fields of a whole block. @throws {Error} if it is none. */
  read(block: Buffer): Field[] {
    const fields: Field[] = [];
    const at = new Cursor(block);
    while (!at.isAtEnd) {
      const first = at.peek();
      if (first >= 0x80) fields.push(this.#entry(at.whole(7)));
      else if (first >= 0x40) fields.push(this.#remember(this.#literal(at, 6)));
      else if (first >= 0x20) this.#resize(at.whole(5));
      else fields.push(this.#literal(at, 4));
    }
    return fields;
  }

  #entry(index: number): Field {
    const entry =
      index > staticTable.length ? this.#remembered[index - staticTable.length - 1] : staticTable[index - 1];
    if (!entry) throw new Error(`a header block names entry ${index}, which is none`);
    return entry;
  }

  #literal(at: Cursor, prefixBits: number): Field {
    const index = at.whole(prefixBits);
    const name = index === 0 ? at.text() : this.#entry(index)[0];
    return [name, at.text()];
  }

  #remember(field: Field): Field {
    this.#remembered.unshift(field);
    this.#bytes += sizeOf(field);
    this.#forget();
    return field;
  }

  #resize(bytesMax: number): void {
    if (bytesMax > tableBytesUsual) throw new Error(`a header block would have ${bytesMax} bytes remembered`);
    this.#bytesMax = bytesMax;
    this.#forget();
  }

  #forget(): void {
    while (this.#bytes > this.#bytesMax) this.#bytes -= sizeOf(this.#remembered.pop() as Field);
  }
}

function sizeOf([name, value]: Field): number {
  return name.length + value.length + entryBytes;
}

class Cursor {
  readonly #block: Buffer;
  #at = 0;

  constructor(block: Buffer) {
    this.#block = block;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#block.length;
  }

  peek(): number {
    const byte = this.#block[this.#at];
    if (byte === undefined) throw new Error('a header block ends too soon');
    return byte;
  }

  /** A whole number that begins in the last bits of a byte (section 5.1). */
  whole(prefixBits: number): number {
    const most = 2 ** prefixBits - 1;
    let value = this.peek() & most;
    this.#at++;
    if (value < most) return value;
    for (let unit = 1; ; unit *= 128) {
      const byte = this.peek();
      this.#at++;
      value += (byte & 127) * unit;
      if (value > 2 ** 31) throw new Error('a header block has a number without end');
      if (byte < 128) return value;
    }
  }

  text(): string {
    const isCoded = this.peek() >= 0x80;
    const length = this.whole(7);
    const bytes = this.#block.subarray(this.#at, this.#at + length);
    if (bytes.length < length) throw new Error('a header block ends too soon');
    this.#at += length;
    return isCoded ? decoded(bytes) : bytes.toString('latin1');
  }
}

/** What is left over in the last byte are ones, fewer than eight (section 5.2). */
function decoded(bytes: Buffer): string {
  let text = '';
  let [code, bits] = [0, 0];
  for (const byte of bytes) {
    for (let i = 7; i >= 0; i--) {
      code = code * 2 + ((byte >> i) & 1);
      bits++;
      const found = byteOfCode.get(keyOf(code, bits));
      if (found !== undefined) {
        if (found > 255) throw new Error('a header block has a text with an end in it');
        text += String.fromCharCode(found);
        [code, bits] = [0, 0];
      } else if (bits >= bitsMax) throw new Error('a header block has a text that is none');
    }
  }
  if (bits > 7 || code !== 2 ** bits - 1) throw new Error('a header block has a text that is none');
  return text;
}

/** Begins the next block where a server has said that it remembers less than usual: it need remember nothing. */
export const rememberNothing = Buffer.of(0x20);

/** A block that the server need not remember anything of. */
export function encodeHeaders(fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => [Buffer.of(0), ...[name, value].flatMap((text) => plain(Buffer.from(text)))]),
  );
}

function plain(text: Buffer): [Buffer, Buffer] {
  if (text.length < 127) return [Buffer.of(text.length), text];
  const length = [127];
  let rest = text.length - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128);
  return [Buffer.from([...length, rest]), text];
}
