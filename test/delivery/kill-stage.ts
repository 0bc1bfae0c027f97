import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterAll, expect } from 'vitest';
import { type Script, scriptedSynap } from '../support/scripted-synap.js';

const SENDER = fileURLToPath(new URL('programs/sender.ts', import.meta.url));

const children = new Set<ChildProcess>();
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** A moment at which a sender kills itself: `put:before:2` is before its second put changes the file. */
export const momentsOf = (...nths: number[]) =>
  ['put', 'claim', 'settle'].flatMap(method =>
    ['before', 'after'].flatMap(moment => nths.map(nth => `${method}:${moment}:${nth}`)),
  );

/** A Synap that takes its time, and a file; senders are started on them, and killed. */
export async function stage(script?: Script) {
  const directory = mkdtempSync(join(tmpdir(), 'synap-recorder-kill-'));
  const file = join(directory, 'outbox.db');
  const synap = await scriptedSynap(async (request, index, raw) => {
    sentAgain.push(...request.messages.map(({ metadata }) => metadata?.message_key).filter(isDelivered));
    await new Promise(resolve => setTimeout(resolve, (index * 7) % 12));
    return script?.(request, index, raw) as undefined;
  });
  const accepted: string[] = [];
  /** Keys that were sent when the file already said that they are delivered. */
  const sentAgain: unknown[] = [];
  let db: DatabaseSync | undefined;

  function isDelivered(key: unknown): boolean {
    db ??= new DatabaseSync(file, { readOnly: true });
    return db.prepare("SELECT 1 FROM entries WHERE key = ? AND state = 'delivered'").get(`${key}`) !== undefined;
  }

  const start = (...args: string[]) => startBy({}, ...args);

  /** `prefix` is a command that runs another one. */
  function startBy({ prefix = [], env }: { prefix?: readonly string[]; env?: NodeJS.ProcessEnv }, ...args: string[]) {
    const [command = '', ...rest] = [...prefix, process.execPath, SENDER, '--file', file, '--url', synap.url, ...args];
    const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } });
    children.add(child);
    const lines: string[] = [];
    const ended = new Promise<{ signal: string | null; code: number | null; lines: string[] }>(resolve => {
      child.on('close', (code, signal) => {
        children.delete(child);
        resolve({ signal, code, lines });
      });
    });
    let said = 0;
    let [wanted, enough] = [0, () => {}];
    createInterface({ input: child.stdout }).on('line', line => {
      lines.push(line);
      if (line.startsWith('{')) return;
      accepted.push(line);
      if (++said >= wanted) enough();
    });
    return {
      child,
      ended,
      /** Resolves as soon as so many of its messages were accepted. */
      accepted: (count: number) =>
        new Promise<void>(resolve => {
          [wanted, enough] = [count, resolve];
          if (said >= wanted) resolve();
        }),
    };
  }

  return {
    synap,
    accepted,
    file,
    start,
    startBy,
    /** Lets a last sender deliver what is left, and holds what Synap has against what was accepted. */
    async drained() {
      const { code, lines } = await start().ended;
      expect(code).toBe(0);
      const stats = JSON.parse(lines.at(-1) ?? '{}');
      expect(stats).toMatchObject({ pending: 0, inFlight: 0, deadLettered: 0, expired: 0 });
      expect(stats.delivered).toBe(stats.accepted);

      const firsts = [...new Set(synap.stored.map(message => message.content))];
      expect(accepted.filter(content => !firsts.includes(content))).toEqual([]);
      const keys = new Map(synap.stored.map(({ content, metadata }) => [content, metadata?.message_key]));
      // What was committed and not acknowledged any more may be there, too; nothing else. What was delivered from memory, while a
      // process that was stopped kept the file locked, the file does not know.
      expect(firsts.filter(content => isDelivered(keys.get(content))).length).toBe(stats.accepted);
      expect(sentAgain).toEqual([]);
      for (const { content, metadata } of synap.stored) expect(metadata?.message_key).toBe(keys.get(content));
      const conversations = Map.groupBy(firsts, content => {
        const stored = synap.stored.find(message => message.content === content);
        return stored?.conversation_id ?? '';
      });
      for (const contents of conversations.values()) {
        const numbers = contents.map(content => Number(content.split(':')[1]));
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
      }
      const whole = new DatabaseSync(file, { readOnly: true });
      expect(whole.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
      whole.close();
      return { stats, duplicates: synap.stored.length - firsts.length };
    },
    async [Symbol.asyncDispose]() {
      db?.close();
      await synap.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A sender is killed at a moment of its own, and so is its successor; nothing that they had accepted may be lost. */
export async function diesTwice(moment: string): Promise<void> {
  await using on = await stage();
  for (const name of ['a', 'b'])
    expect((await on.start('--name', name, '--count', '60', '--die', moment).ended).signal).toBe('SIGKILL');
  await on.drained();
}
