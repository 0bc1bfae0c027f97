import wrapAnsi from 'wrap-ansi';

// With less room than this, the indentation is given up.
const MIN_ROOM = 10;

/** Lines of at most `width` columns, indented. A line that is broken keeps its own indentation. */
export function wrapped(text: string, indent: string, width: number): string {
  return text
    .split('\n')
    .flatMap(line => {
      if (line.trim() === '') return [''];
      const [own = ''] = /^[ \t]*/.exec(line) ?? [];
      const lead = indent + own.replaceAll('\t', '    ');
      const room = width - lead.length;
      if (room < MIN_ROOM) return wrapAnsi(line, width, { hard: true }).split('\n');
      if (room === Number.POSITIVE_INFINITY) return [lead + line.slice(own.length)];
      return wrapAnsi(line.slice(own.length), room, { hard: true })
        .split('\n')
        .map(part => lead + part);
    })
    .join('\n');
}
