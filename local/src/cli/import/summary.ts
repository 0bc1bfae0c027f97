import type { ImportCounts } from './import-run.js';

export interface ImportResult extends ImportCounts {
  possibleDuplicates: number;
  interrupted: boolean;
}

/** The result of an import, in lines for people; counts of zero are left out. */
export function summaryText(result: ImportResult, baseUrl: string): string {
  const { delivered, deliveredBefore, repeated, refused, leftOut, badLines, possibleDuplicates, interrupted } = result;
  const leftOutTotal = Object.values(leftOut).reduce((sum, count) => sum + count, 0);
  const reasons = Object.entries(leftOut).map(([why, count]) => `${count} ${why}`);
  const lines = [
    [delivered > 0 || deliveredBefore === 0, `${messages(delivered)} recorded into ${baseUrl}`],
    [
      possibleDuplicates > 0,
      `  ${possibleDuplicates} possible duplicates: they were sent again after an attempt without an answer`,
    ],
    [deliveredBefore > 0, `${messages(deliveredBefore)} delivered before`],
    [repeated > 0, `${messages(repeated)} more than once in the input, recorded once`],
    [leftOutTotal > 0, `${messages(leftOutTotal)} left out: ${reasons.join(', ')}`],
    [refused > 0, `${messages(refused)} not recorded: see the lines above`],
    [badLines > 0, `${badLines} bad ${badLines === 1 ? 'line' : 'lines'}`],
    [interrupted, 'Interrupted; run the same command again to go on from here'],
  ] as const;
  return lines.flatMap(([said, line]) => (said ? [`${line}\n`] : [])).join('');
}

function messages(count: number): string {
  return `${count} ${count === 1 ? 'message' : 'messages'}`;
}
