/** The spans of a wrapper for each case, where cases run one after another: their names, in order. */
export function perCase(finish = async () => {}) {
  const cases = {};
  let lines = [];
  return {
    note: line => lines.push(line),
    async inCase(name, fn) {
      const mine = [];
      cases[name] = mine;
      lines = mine;
      try {
        return await fn();
      } finally {
        await finish();
      }
    },
    spans: () => Object.fromEntries(Object.entries(cases).map(([name, lines]) => [name, lines.sort()])),
  };
}
