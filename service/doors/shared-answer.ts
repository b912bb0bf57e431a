// A question whose answer is dear to make, and the same for all who ask at once.

/** All who ask in one turn of the event loop get one answer, made after they asked; or its failure. */
export function sharedAnswer<Answer>(make: () => Promise<Answer>): () => Promise<Answer> {
  let asked: Promise<Answer> | undefined;
  return () => {
    asked ??= new Promise((turnEnds) => setImmediate(turnEnds)).then(() => {
      asked = undefined;
      return make();
    });
    return asked;
  };
}
