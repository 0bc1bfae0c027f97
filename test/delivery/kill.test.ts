import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { type Script, scriptedSynap } from '../support/scripted-synap.js';

const SENDER = fileURLToPath(new URL('programs/sender.ts', import.meta.url));
const KILLS_PER_CHAIN = Number(process.env.KILLS ?? 200) / 2;

const children = new Set<ChildProcess>();
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** A Synap that takes its time, and a file; senders are started on them, and killed. */
async function stage(script?: Script) {
  const directory = mkdtempSync(join(tmpdir(), 'synap-recorder-kill-'));
  const file = join(directory, 'outbox.db');
  const synap = await scriptedSynap(async (request, index, raw) => {
    await new Promise(resolve => setTimeout(resolve, (index * 7) % 12));
    return script?.(request, index, raw) as undefined;
  });
  const accepted: string[] = [];

  function start(...args: string[]) {
    const child = spawn(process.execPath, [SENDER, '--file', file, '--url', synap.url, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.add(child);
    const lines: string[] = [];
    const ended = new Promise<{ signal: string | null; code: number | null; lines: string[] }>(resolve => {
      child.on('close', (code, signal) => {
        children.delete(child);
        resolve({ signal, code, lines });
      });
    });
    const ready = new Promise<void>(resolve => {
      createInterface({ input: child.stdout }).on('line', line => {
        if (line === 'ready') return resolve();
        lines.push(line);
        if (!line.startsWith('{')) accepted.push(line);
      });
    });
    return { child, ready, ended };
  }

  return {
    synap,
    accepted,
    start,
    /** Lets a last sender deliver what is left, and holds what Synap has against what was accepted. */
    async drained() {
      const { code, lines } = await start().ended;
      expect(code).toBe(0);
      const books = JSON.parse(lines.at(-1) ?? '{}');
      expect(books).toMatchObject({ pending: 0, inFlight: 0, deadLettered: 0, expired: 0 });
      expect(books.delivered).toBe(books.accepted);

      const firsts = [...new Set(synap.stored.map(message => message.content))];
      expect(accepted.filter(content => !firsts.includes(content))).toEqual([]);
      // What was committed and not acknowledged any more may be there, too; nothing else.
      expect(firsts.length).toBe(books.accepted);
      const keys = new Map(synap.stored.map(({ content, metadata }) => [content, metadata?.message_key]));
      for (const { content, metadata } of synap.stored) expect(metadata?.message_key).toBe(keys.get(content));
      const conversations = Map.groupBy(firsts, content => {
        const stored = synap.stored.find(message => message.content === content);
        return stored?.conversation_id ?? '';
      });
      for (const contents of conversations.values()) {
        const numbers = contents.map(content => Number(content.split(':')[1]));
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
      }
      const db = new DatabaseSync(file, { readOnly: true });
      expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
      db.close();
      return { books, duplicates: synap.stored.length - firsts.length };
    },
    async [Symbol.asyncDispose]() {
      await synap.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

describe('a sender that is killed', () => {
  const moments = ['put', 'claim', 'settle'].flatMap(method =>
    ['before', 'after'].flatMap(moment => [1, 2, 5].map(nth => `${method}:${moment}:${nth}`)),
  );

  it.each(moments)('at %s loses nothing that it had accepted', async moment => {
    await using on = await stage();
    const first = on.start('--name', 'a', '--count', '60', '--die', moment);
    expect((await first.ended).signal).toBe('SIGKILL');
    // And its successor dies in the same place.
    const second = on.start('--name', 'b', '--count', '60', '--die', moment);
    expect((await second.ended).signal).toBe('SIGKILL');
    await on.drained();
  });

  it.concurrent.each([1, 2])(
    'at random moments loses nothing that it had accepted (chain %i)',
    async chain => {
      await using on = await stage((_, index) => (index % 9 === 4 ? { status: 503 } : undefined));
      let state = chain * 7919;
      for (let n = 0; n < KILLS_PER_CHAIN; n++) {
        const sender = on.start('--name', `k${n}`, '--count', '100');
        await sender.ready;
        state = (state * 48_271) % 2_147_483_647;
        await new Promise(resolve => setTimeout(resolve, state % 90));
        sender.child.kill('SIGKILL');
        await sender.ended;
      }
      expect(on.accepted.length).toBeGreaterThan(KILLS_PER_CHAIN);
      const { duplicates } = await on.drained();
      // Only what was in flight at a kill: a batch of ten at most.
      expect(duplicates).toBeLessThanOrEqual(KILLS_PER_CHAIN * 10);
    },
    240_000,
  );

  it('leaves the file to another of four, within the lease, and in order', async () => {
    await using on = await stage();
    let generation = 0;
    const start = () => on.start('--name', `p${generation++}`, '--count', '150');
    const running = [start(), start(), start(), start()];
    await Promise.all(running.map(sender => sender.ready));
    for (let n = 0; n < 16; n++) {
      await new Promise(resolve => setTimeout(resolve, 120));
      const victim = running[n % 4];
      victim?.child.kill('SIGKILL');
      await victim?.ended;
      const next = start();
      running[n % 4] = next;
      await next.ready;
    }
    const before = on.synap.stored.length;
    await expect.poll(() => on.synap.stored.length).toBeGreaterThan(before);
    for (const sender of running) sender.child.kill('SIGKILL');
    await Promise.all(running.map(sender => sender.ended));
    await on.drained();
  }, 60_000);
});
