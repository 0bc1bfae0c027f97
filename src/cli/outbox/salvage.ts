import { salvage } from '../../outbox/sqlite/salvage/salvage.js';
import { counted, jsonLine, note } from '../output.js';
import { harmlessLine } from '../terminal.js';

export async function salvageOutbox(
  file: string,
  flags: { to: string | undefined; json: true | undefined },
): Promise<void> {
  const to = flags.to ?? `${file}.salvaged`;
  const result = salvage(file, to);
  const { pending, deadLetters, unsure, lost, expected, unreadablePages, missingPages, damagedRows } = result;
  if (flags.json) {
    process.stdout.write(jsonLine({ file: to, ...result }));
    return;
  }
  process.stdout.write(
    `${harmlessLine(`${counted(pending, 'pending message')} and ${counted(deadLetters, 'dead letter')} read into ${to}`)}\n`,
  );
  if (unsure > 0)
    note(
      `of ${counted(unsure, 'message')} only the text could be read: they are pending now, and may have been sent before`,
    );
  if (lost > 0) note(`${counted(lost, 'message')} can't be read, and ${lost === 1 ? 'is' : 'are'} lost`);
  const more = expected === undefined ? 0 : expected - pending - deadLetters - lost;
  if (expected === undefined)
    note("the counters of the file can't be read: how many messages are missing is not known");
  else if (more > 0)
    note(`by the counters of the file, ${counted(more, 'further message')} ${more === 1 ? 'is' : 'are'} missing`);
  if (result.pagesFromLog === undefined) note(`there is no ${file}-wal: what was written last may be missing`);
  if (unreadablePages + missingPages + damagedRows > 0)
    note(
      `damage: ${counted(unreadablePages, 'unreadable page')}, ${counted(missingPages, 'missing page')}, ${counted(damagedRows, 'unreadable row')}`,
    );
  note(harmlessLine(`${file} was left as it is. Move it away with its -wal and -shm, and put ${to} in its place`));
}
