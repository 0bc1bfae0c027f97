import wrapAnsi from 'wrap-ansi';

// Below this width, lines are not indented.
const MIN_WIDTH = 10;

/** Lines of at most `width` columns, indented. A wrapped line keeps its own indentation. */
export function wrapped(text: string, indent: string, width: number): string {
  return text
    .split('\n')
    .flatMap(line => {
      if (line.trim() === '') return [''];
      const [own = ''] = /^[ \t]*/.exec(line) ?? [];
      const lead = indent + own.replaceAll('\t', '    ');
      const left = width - lead.length;
      if (left < MIN_WIDTH) return wrapAnsi(line, width, { hard: true }).split('\n');
      if (left === Number.POSITIVE_INFINITY) return [lead + line.slice(own.length)];
      return wrapAnsi(line.slice(own.length), left, { hard: true })
        .split('\n')
        .map(part => lead + part);
    })
    .join('\n');
}
