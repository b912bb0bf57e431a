// Asks a Prometheus over its HTTP API: https://prometheus.io/docs/prometheus/latest/querying/api/

export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  /** Unix time in seconds, and value; in order of time. */
  readonly samples: readonly (readonly [number, number])[];
}

interface Answer {
  readonly status: 'success' | 'error';
  readonly error?: string;
  readonly data: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly value?: readonly [number, string];
      readonly values?: readonly (readonly [number, string])[];
    }[];
  };
}

const answerMsMax = 10_000;

/** At one instant; with a range selector the samples as they were scraped. Throws Prometheus's own words on an error. */
export function queryAt(url: string, expr: string, atS: number): Promise<Series[]> {
  return ask(`${url}/api/v1/query`, { query: expr, time: String(atS) });
}

/** Every `stepS` from one instant to another. */
export function queryRange(url: string, expr: string, fromS: number, toS: number, stepS: number): Promise<Series[]> {
  return ask(`${url}/api/v1/query_range`, {
    query: expr,
    start: String(fromS),
    end: String(toS),
    step: String(stepS),
  });
}

async function ask(url: string, parameters: Readonly<Record<string, string>>): Promise<Series[]> {
  const response = await fetch(url, {
    method: 'POST',
    body: new URLSearchParams(parameters),
    signal: AbortSignal.timeout(answerMsMax),
  });
  const answer = (await response.json()) as Answer;
  if (answer.status !== 'success') throw new Error(`${answer.error}: ${parameters.query}`);
  return answer.data.result.map(({ metric, value, values }) => ({
    labels: metric,
    samples: (values ?? (value ? [value] : [])).map(([atS, text]) => [atS, Number(text)] as const),
  }));
}
