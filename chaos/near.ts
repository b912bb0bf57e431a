// What somebody meant who typed a name that there is not.

/** So many letters may be wrong in a name: of one with three letters, one. */
const wrongMax = (name: string) => Math.min(3, Math.ceil(name.length / 4));

/** `; did you mean NAME?`, or nothing where no name is near. */
export function didYouMean(typed: string, names: readonly string[]): string {
  const near = names
    .map((name) => ({ name, wrong: distance(typed.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, wrong }) => wrong <= wrongMax(name))
    .toSorted((one, other) => one.wrong - other.wrong)[0];
  return near ? `; did you mean ${near.name}?` : '';
}

/** Letters that are missing, too many or others, and neighbours that are exchanged. */
function distance(one: string, other: string): number {
  if (one.length > 100) return Number.POSITIVE_INFINITY;
  const rows = [Array.from({ length: other.length + 1 }, (_, i) => i)];
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const at = (rowsBack: number, columnsBack: number) =>
        rows[i - rowsBack]?.[j - columnsBack] ?? Number.POSITIVE_INFINITY;
      const isSame = one[i - 1] === other[j - 1];
      const isExchanged = one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      row[j] = Math.min(
        at(1, 0) + 1,
        (row[j - 1] as number) + 1,
        at(1, 1) + (isSame ? 0 : 1),
        isExchanged ? at(2, 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    rows.push(row);
  }
  return rows[one.length]?.[other.length] as number;
}
