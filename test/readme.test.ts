import { execFile } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { brokenLinks } from './support/markdown-links.js';
import { CHAT, type RunOptions, runProgram } from './support/run-program.js';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const README = readFileSync(`${ROOT}README.md`, 'utf8');
const MANUAL = globSync('docs/*.md', { cwd: ROOT }).sort();
const PAGES = [
  ...globSync('*.md', { cwd: ROOT }),
  ...MANUAL,
  ...globSync(['examples/**/README.md', 'bench/README.md', 'local/README.md'], {
    cwd: ROOT,
    exclude: ['**/node_modules/**'],
  }),
].sort();

const runWithSynap = (file: string, options: RunOptions = {}) =>
  runProgram(file, () => ({ text: ['Air scatters blue light ', 'more than red.'] }), options);

describe('the README and docs/', () => {
  it('show the programs of examples/ as they are', async () => {
    await run(process.execPath, ['scripts/readme.ts', '--check'], { cwd: ROOT });
  });

  it.each([
    ['examples/ai-sdk.ts', 'gpt-5-mini'],
    ['examples/langchain.ts', 'gpt-5-mini'],
    ['examples/by-hand.ts', 'my-own-model'],
  ])('%s records its conversation', async (file, model) => {
    const { messages, stderr } = await runWithSynap(file);
    expect(messages.map(({ role, content }) => `${role}: ${content}`)).toEqual([
      'user: Why is the sky blue?',
      'assistant: Air scatters blue light more than red.',
    ]);
    expect(messages[1]?.metadata).toMatchObject({ model, status: 'complete', latency_ms: expect.any(Number) });
    expect(stderr).toBe('');
  });

  it('examples/title.ts records the answer, and not the title that is made beside it', async () => {
    const { messages, stdout, stderr, requests } = await runProgram('examples/title.ts', ({ messages }) =>
      String(messages.at(-1)?.content).startsWith('A title')
        ? { text: 'Blue Sky Science' }
        : { text: 'Air scatters it.' },
    );
    expect(requests).toHaveLength(2);
    expect(messages.map(({ role, content }) => `${role}: ${content}`)).toEqual([
      'user: Why is the sky blue?',
      'assistant: Air scatters it.',
    ]);
    expect(stdout).toBe('Air scatters it.\n[Blue Sky Science]\n');
    expect(stderr).toBe('');
  });

  it('examples/votes.ts knows which record the answer is', async () => {
    const { messages, stdout, stderr } = await runWithSynap('examples/votes.ts');
    const { record } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    expect(record).toBe((messages[1] as { message_id?: string } | undefined)?.message_id);
    expect(record).toEqual(expect.any(String));
    expect(stderr).toBe('');
  });

  it('examples/observability.ts tells of its messages and requests', async () => {
    const { stdout, stderr } = await runWithSynap('examples/observability.ts');
    expect(stdout).toMatch(
      /^\/v1\/conversations\/messages\/batch: 200, 2 messages\ndelivered: user in .*\ndelivered: assistant in/,
    );
    expect(stderr).toBe('');
  });

  it('examples/redact.ts records nothing that it takes out', async () => {
    const { messages, stdout, stderr } = await runWithSynap('examples/redact.ts');
    expect(messages.map(({ content }) => content)).toEqual([
      'My card is <Redacted credit card number #0>, write to <Redacted email #1>',
      'Thank you!',
    ]);
    expect(JSON.stringify(messages)).not.toContain('@example.com');
    expect(stdout).toContain('accepted: 2');
    expect(stderr).toBe('');
  });

  it('have small snippets that run, too', async () => {
    const pages = [README, ...MANUAL.map(page => readFileSync(ROOT + page, 'utf8'))];
    const blocks = pages
      .flatMap(page => [...page.matchAll(/(?<!-->\n)```ts\n([\s\S]*?)```/g)])
      .map(([, code = '']) => code);
    expect(blocks.length).toBeGreaterThanOrEqual(4);
    const file = `${ROOT}test/.readme-snippets.ts`;
    const IMPORT = /^import .*\n/gm;
    const program = `
      ${blocks.flatMap(code => code.match(IMPORT) ?? []).join('')}
      import { openai } from '@ai-sdk/openai';
      import * as ai from 'ai';
      import { createRecorder, SynapClient } from 'synap-recorder';
      import { wrapAISDK, wrapModel } from 'synap-recorder/ai-sdk';
      import { startLocalSynap } from 'synap-recorder-local';
      import { sqliteOutbox } from 'synap-recorder/sqlite';
      const recorder = createRecorder();
      const app = { post: (path, handle) => handle({ user: { id: 'ada' }, body: { chatId: 'c' } }, {}) };
      const answer = () => recorder.turn().user('Hi');
      const [userId, customerId, content] = ['ada', 'acme', 'Hi'];
      const conversationId = '${CHAT}';
      const messages = [{ conversationId, role: 'user', content, userId, customerId }];
      const [apiKey, baseUrl] = [process.env.SYNAP_API_KEY, process.env.SYNAP_BASE_URL];
      ${blocks.map(code => `await (async () => {\n${code.replaceAll(IMPORT, '')}\n})();`).join('\n')}
      await recorder.close();
    `;
    await writeFile(file, program);
    try {
      // The pages speak of B2B as well.
      const { messages } = await runWithSynap(file, { synap: { strictB2c: false } });
      expect(messages.map(({ content }) => content)).toEqual(['Hi', 'Hi']);
    } finally {
      await rm(file);
    }
  });
});

describe('the links', () => {
  it.each(PAGES)('of %s lead somewhere', page => {
    expect(brokenLinks(ROOT + page)).toEqual([]);
  });

  it.each(MANUAL)('of the README lead to %s', page => {
    expect(README).toContain(`](${page})`);
  });

  it('to files and commands of this repository, in the architecture and the walk-throughs, lead somewhere', () => {
    const text = ['docs/architecture.md', 'CONTRIBUTING.md'].map(page => readFileSync(ROOT + page, 'utf8')).join('\n');
    const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8'));
    const named = (pattern: RegExp) => [...new Set([...text.matchAll(pattern)].map(([, name = '']) => name))];
    const files = named(/`((?:src|local|test|scripts|examples)\/[^`<*]+?\.\w+)`/g);
    const commands = named(/npm run ([\w:.-]*\w)/g);
    expect(files).toContain('src/recorder/turn.ts');
    expect(commands).toContain('test:long');
    const missing = [...files.filter(file => !existsSync(ROOT + file)), ...commands.filter(name => !scripts[name])];
    expect(missing).toEqual([]);
  });

  it('are found to be broken where a file, a folder, a picture or a heading is missing', () => {
    const text = `
# A page
## \`code\` and, again
## Twice
## Twice
[here](#code-and-again) [again](#twice-1) [the README](../README.md#install) [a folder](../examples) <img src="local.md">
[elsewhere](https://a.example/#x)
\`\`\`md
## In code
[not a link](nowhere.md)
\`\`\`
[a](nowhere.md) [b](#in-code) [c](../README.md#nowhere) [d](../nowhere/) <img srcset="nowhere.png">
    `;
    expect(brokenLinks(`${ROOT}docs/made-up.md`, text)).toEqual([
      'nowhere.md',
      '#in-code',
      '../README.md#nowhere',
      '../nowhere/',
      'nowhere.png',
    ]);
  });
});
