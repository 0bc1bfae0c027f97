// An import that is interrupted or killed goes on where it stopped.

import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { readAll, start } from '../support.js';
import { aFile, conversations, expectedTranscripts, plainSynap } from './import-support.js';
import { envOf, runCli, spawnCli, withoutWarnings } from './support.js';

test('after a Ctrl-C, the same command goes on: no message twice, none missing, all in order', async () => {
  const synap = await plainSynap({ delayMs: 100 });
  const file = aFile(conversations(60, 10));
  const env = envOf(synap);
  let interruptions = 0;
  for (let run = 0; run < 20; run++) {
    const child = spawnCli(['import', file], { env });
    const before = synap.stored.length;
    const exited = once(child, 'exit');
    const printed = child.stdout && text(child.stdout);
    await expect.poll(() => child.exitCode !== null || synap.stored.length > before + 200, { interval: 10 }).toBe(true);
    if (run < 4) child.kill('SIGINT');
    const [code] = await exited;
    if (code === 0) break;
    expect(code).toBe(130);
    expect(await printed).toMatch(/Interrupted; run the same command again to go on from here\n$/);
    interruptions++;
  }
  expect(interruptions).toBeGreaterThanOrEqual(2);
  expect(synap.stored).toHaveLength(1200);
  expect(synap.transcripts()).toEqual(expectedTranscripts(60, 10));
});

test('a Ctrl-C ends an import whose stdin is silent', async () => {
  const synap = await plainSynap();
  const child = spawnCli(['import', '-'], { env: envOf(synap) });
  child.stdin?.write(`${JSON.stringify(conversations(1, 1)[0])}\n`);
  await expect.poll(() => synap.stored.length).toBe(2);
  const exited = once(child, 'exit');
  child.kill('SIGINT');
  expect((await exited)[0]).toBe(130);
});

test('a line that a Ctrl-C cuts off is not reported as bad', async () => {
  const synap = await plainSynap();
  const child = spawnCli(['import', '-', '--json'], { env: envOf(synap) });
  const said = Promise.all([child.stdout, child.stderr].map(stream => stream && text(stream)));
  const [whole, torn] = conversations(2, 1).map(conversation => JSON.stringify(conversation));
  child.stdin?.write(`${whole}\n${torn?.slice(0, 40)}`);
  await expect.poll(() => synap.stored.length).toBe(2);
  const exited = once(child, 'exit');
  child.kill('SIGINT');
  expect((await exited)[0]).toBe(130);
  const [stdout, stderr] = await said;
  expect(JSON.parse(stdout ?? '')).toMatchObject({ delivered: 2, badLines: 0, interrupted: true });
  expect(withoutWarnings(stderr ?? '')).toBe('');
});

test('a second Ctrl-C ends an import at once', async () => {
  const synap = await plainSynap({ delayMs: 60_000 });
  const child = spawnCli(['import', aFile(conversations(1, 1))], { env: envOf(synap) });
  await expect.poll(() => synap.stored.length).toBe(2);
  const exited = once(child, 'exit');
  // Two that are so close that they are taken for one are followed by others.
  for (let signals = 0; child.exitCode === null; signals++) {
    child.kill('SIGINT');
    await Promise.race([exited, sleep(signals === 0 ? 300 : 200)]);
  }
  expect((await exited)[0]).toBe(130);
});

test('after kill -9, a local Synap has every message once, and in order', async () => {
  const synap = await start();
  const file = aFile(conversations(40, 25));
  const env = envOf(synap);
  const stored = async () =>
    (await readAll(synap, '/v1/conversations', 'conversations', 100)).reduce(
      (sum, { message_count }) => sum + Number(message_count),
      0,
    );
  for (const wanted of [100, 700, 1300]) {
    const child = spawnCli(['import', file, '--requests-per-minute', '900'], { env });
    const exited = once(child, 'exit');
    await expect.poll(stored, { interval: 20 }).toBeGreaterThan(wanted);
    child.kill('SIGKILL');
    await exited;
  }
  expect((await runCli(['import', file], { env })).code).toBe(0);
  const exported = (await runCli(['export'], { env })).stdout.trimEnd().split('\n');
  const transcripts: Record<string, string[]> = {};
  for (const line of exported) {
    const { content, metadata } = JSON.parse(line);
    transcripts[metadata.external_conversation_id] ??= [];
    transcripts[metadata.external_conversation_id]?.push(content);
  }
  expect(transcripts).toEqual(expectedTranscripts(40, 25));
});

test('a message whose outcome kill -9 left open is sent again and counted, or left out with --if-unknown dead-letter', async () => {
  for (const [flags, twice] of [
    [[], true],
    [['--if-unknown', 'dead-letter'], false],
  ] as const) {
    const synap = await plainSynap({ delayMs: 600_000 });
    const file = aFile(conversations(1, 5));
    const env = envOf(synap);
    const child = spawnCli(['import', file], { env });
    await expect.poll(() => synap.stored.length).toBe(10);
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    synap.settings.delayMs = 0;
    const { code, stdout, stderr } = await runCli(['import', file, ...flags], { env });
    expect(synap.stored).toHaveLength(twice ? 20 : 10);
    expect(code).toBe(twice ? 0 : 3);
    if (twice) expect(stdout).toMatch(/10 possible duplicates/);
    else expect(withoutWarnings(stderr)).toMatch(/^line 1: not recorded: was sent, and may or may not be stored$/m);
  }
});
