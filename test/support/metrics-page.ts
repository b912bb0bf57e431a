// A service's /metrics, read as numbers.

import { get } from 'node:http';
import { text } from 'node:stream/consumers';

/** Only tells that the page hangs. */
const pageMsMax = 30_000;

/** The lines of /metrics that are series, as name{labels} → value. On a connection of its own, which no death has broken. */
export async function seriesOf({ url }: { url: string }): Promise<Map<string, number>> {
  const page = await new Promise<string>((resolve, reject) => {
    get(`${url}/metrics`, { agent: false, timeout: pageMsMax }, (response) => text(response).then(resolve, reject))
      .once('timeout', () => reject(new Error(`no /metrics within ${pageMsMax} ms`)))
      .once('error', reject);
  });
  const lines = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}
