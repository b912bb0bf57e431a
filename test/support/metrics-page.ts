// A service's /metrics, read as numbers.

const pageMsMax = 5000;

/** The lines of /metrics that are series, as name{labels} → value. */
export async function seriesOf({ url }: { url: string }): Promise<Map<string, number>> {
  const page = await (await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(pageMsMax) })).text();
  const lines = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}
