const SYNAP = new URL(process.env.SYNAP_BASE_URL).host;

/** A name for a span that is the same in each run, and tells whether it is a request to Synap. */
export function nameOf(name, attributes) {
  return JSON.stringify(attributes).includes(SYNAP) ? `${name} to Synap` : name;
}

/** The spans of each case, one a line, each below its parent, siblings in the order of their lines. */
export function trees(all) {
  // Whether a request takes a connection that is there already is chance.
  const spans = all.filter(({ name }) => !/^(tcp|dns)\./.test(name));
  const known = new Set(spans.map(({ id }) => id));
  const below = (parent, depth) =>
    spans
      .filter(span => span.parent === parent)
      .map(span => [`${'  '.repeat(depth)}${span.name}${span.failed ? ' (failed)' : ''}`, ...below(span.id, depth + 1)])
      .map(lines => lines.join('\n'))
      .sort();
  const cases = {};
  for (const root of spans.filter(({ parent }) => !known.has(parent))) {
    const name = root.name.startsWith('case ') ? root.name.slice('case '.length) : 'outside';
    const lines = name === 'outside' ? [root.name, ...below(root.id, 1)] : below(root.id, 0);
    cases[name] = [...(cases[name] ?? []), ...lines.join('\n').split('\n')].filter(Boolean);
  }
  return cases;
}
