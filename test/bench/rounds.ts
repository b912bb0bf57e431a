// Everything is measured once in every round, so that what the machine does meanwhile happens to all of it.

/** The figures of each, by its name, one for each round. */
export async function interleaved<T, Named extends { readonly name: string }>(
  all: readonly Named[],
  rounds: number,
  measure: (it: Named) => Promise<T>,
): Promise<Map<string, T[]>> {
  const figures = new Map<string, T[]>(all.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const it of rotated(all, round)) figures.get(it.name)?.push(await measure(it));
  }
  return figures;
}

function rotated<T>(list: readonly T[], by: number): T[] {
  return list.map((_, i) => list[(i + by) % list.length] as T);
}
