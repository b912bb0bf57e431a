/** What it returns does what it is given one after another, whatever becomes of each, and tells its giver. */
export function queue() {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(work: () => Promise<T>): Promise<T> => {
    const its = last.then(work);
    last = its.catch(() => {});
    return its;
  };
}
