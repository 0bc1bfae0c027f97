// An app that is bundled into one file, on Node.js.

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { scriptedSynap } from '../support/scripted-synap.js';
import { bundle } from './bundle.js';

it('an app that was bundled into one ES module, in which CommonJS finds nothing to require, is recorded', async () => {
  await using synap = await scriptedSynap();
  const program = `
    import { createRecorder } from 'synap-recorder';
    const recorder = createRecorder({ userId: 'ada', conversationId: 'chat-42' });
    const turn = recorder.turn();
    turn.user('Hi');
    turn.complete({ content: 'Hello' });
    console.log(JSON.stringify(await recorder.close()));`;
  const { code } = await bundle(program, 'node');
  expect(code).toContain('UND_ERR_CONNECT_TIMEOUT');
  const folder = await mkdtemp(join(tmpdir(), 'synap-bundle-'));
  try {
    const file = join(folder, 'app.mjs');
    await writeFile(file, code);
    const env = { ...process.env, SYNAP_API_KEY: 'k', SYNAP_BASE_URL: synap.url };
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [file], { env });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({ delivered: 2, pending: 0, deadLettered: 0 });
    expect(synap.stored.map(({ role, content }) => `${role}: ${content}`)).toEqual(['user: Hi', 'assistant: Hello']);
  } finally {
    await rm(folder, { recursive: true });
  }
});
