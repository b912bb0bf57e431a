// A deadline that does not cry wolf.
//
// Node runs a timer that is late (a busy turn, a garbage collection) before the poll phase that would have delivered
// the reply already lying in the socket. So when the deadline fires, the loop gets one poll phase more, and only then
// is it called a timeout.

/** Calls `onExpiry` once, `ms` from now and a poll phase later, unless the function returned has been called before. */
export function deadline(ms: number, onExpiry: () => void): () => void {
  let immediate: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    immediate = setImmediate(onExpiry);
  }, ms);
  return () => {
    clearTimeout(timer);
    if (immediate) clearImmediate(immediate);
  };
}
