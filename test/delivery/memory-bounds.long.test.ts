import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const PROGRAM = fileURLToPath(new URL('programs/backend-down.ts', import.meta.url));

interface Figures {
  said: number;
  accepted: number;
  waiting: number;
  refused: Record<string, number>;
  torn: number;
  grownMiB: number;
}

async function run(...parameters: string[]): Promise<Figures> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', PROGRAM, ...parameters], {
    timeout: 800_000,
  });
  return JSON.parse(stdout);
}

describe('ten minutes of 1,000 messages a second while Synap is down', () => {
  it('cost at most 64 MiB, and what is refused is counted, in whole turns', async () => {
    const { said, accepted, waiting, refused, torn, grownMiB } = await run();
    expect(said).toBeGreaterThan(599_000);
    expect(accepted + (refused.outbox_full ?? 0)).toBe(said);
    expect(Object.keys(refused)).toEqual(['outbox_full']);
    // The outbox takes 10,000 messages, and the rest of the turns that it has begun to take.
    expect(accepted).toBe(10_050);
    expect(waiting).toBe(accepted);
    expect(torn).toBe(0);
    expect(grownMiB).toBeLessThanOrEqual(64);
  });
});
