import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

it('the model for those without a key says the question again', async () => {
  const server = spawn(process.execPath, ['examples/apps/model.ts'], { cwd: ROOT });
  try {
    let said = '';
    server.stdout.setEncoding('utf8').on('data', text => {
      said += text;
    });
    await expect.poll(() => said).toContain('Ctrl-C stops it.');
    const [, url] = /export OPENAI_BASE_URL=(\S+)\n {2}export OPENAI_API_KEY=\S+/.exec(said) ?? [];
    const response = await fetch(`${url}/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'gpt-5-mini', messages: [{ role: 'user', content: 'Why is the sky blue?' }] }),
    });
    const { choices } = (await response.json()) as { choices: { message: { content: string } }[] };
    expect(choices[0]?.message.content).toContain('Why is the sky blue?');
  } finally {
    server.kill();
    await once(server, 'exit');
  }
});
