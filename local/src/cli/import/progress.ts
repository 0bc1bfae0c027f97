import type { Progress } from 'synap-recorder/cli';

const SECOND = 1000;

/** How far an import has come. */
export interface ImportProgress {
  readonly delivered: number;
  readonly deliveredBefore: number;
  readonly badLines: number;
  /** Messages that have been read and have not arrived. */
  readonly waiting: number;
  readonly bytesRead: number;
  /** Of the whole input; undefined when it isn't known. */
  readonly bytes: number | undefined;
  /** Since it began. */
  readonly ms: number;
}

export function importProgress(progress: ImportProgress): Progress {
  const { delivered, deliveredBefore, badLines, ms } = progress;
  const share = shareOf(progress);
  const words = [
    `${delivered} messages`,
    deliveredBefore > 0 && `${deliveredBefore} before`,
    badLines > 0 && `${badLines} bad`,
    `${Math.round(delivered / Math.max(1, ms / SECOND))}/s`,
    share !== undefined && `${Math.floor(share * 100)} %`,
  ];
  return { share, words: words.filter(Boolean).join(', ') };
}

/** Of the whole input, as far as it has arrived. */
function shareOf({ delivered, deliveredBefore, waiting, bytesRead, bytes }: ImportProgress): number | undefined {
  if (bytes === undefined || bytes === 0) return undefined;
  const arrived = delivered + deliveredBefore;
  return Math.min(1, bytesRead / bytes) * (waiting === 0 ? 1 : arrived / (arrived + waiting));
}
