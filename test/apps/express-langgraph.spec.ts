// examples/apps/express-langgraph, installed and used as its reader would.

import { beforeAll, describe, expect, it } from 'vitest';
import { conversationUuid } from '../../src/index.js';
import type { ModelScript } from '../support/scripted-model.js';
import { hangUp, install, LONG_ANSWER, startApp } from './support.js';

const start = (script: ModelScript) => startApp('express-langgraph', ['server.ts'], script);

/** What the proxy in front passes on. */
const asks = (userId: string, content: string): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', 'x-forwarded-user': userId },
  body: JSON.stringify({ content }),
});

/** Reads the server-sent events to their end. */
async function answerOf(response: Response): Promise<string> {
  const events = (await response.text()).trimEnd().split('\n\n');
  expect(events.pop()).toMatch(/^event: end/);
  return events.map(event => JSON.parse(event.replace(/^data: /, ''))).join('');
}

beforeAll(() => install('express-langgraph'));

describe('the Express app with LangGraph', () => {
  it('records question and answer, and not the draft before the tool', async () => {
    await using app = await start(
      (_, index) =>
        [
          { text: 'Let me look. ', toolCalls: [{ name: 'track_parcel', arguments: { parcel: 'P-1815' } }] },
          { text: ['It arrives ', 'tomorrow.'] },
          { text: 'In Lisbon.' },
        ][index] ?? {},
    );
    const url = `${await app.url()}/threads/thread-1/messages`;
    expect(await answerOf(await fetch(url, asks('ada', 'When does P-1815 arrive?')))).toBe(
      'Let me look. It arrives tomorrow.',
    );
    expect(await answerOf(await fetch(url, asks('ada', 'Where is it now?')))).toBe('In Lisbon.');
    const [, ...remembered] = app.model.requests[2]?.messages.map(({ role }) => role) ?? [];
    expect(remembered).toEqual(['user', 'assistant', 'tool', 'assistant', 'user']);

    expect(await app.end('SIGTERM')).toBe(0);
    const [thread, ...others] = await app.transcripts();
    expect(others).toEqual([]);
    expect(thread).toMatchObject({ userId: 'ada', conversationId: conversationUuid('thread-1', { userId: 'ada' }) });
    expect(thread?.lines).toEqual([
      'user: When does P-1815 arrive?',
      'assistant: It arrives tomorrow.',
      'user: Where is it now?',
      'assistant: In Lisbon.',
    ]);
    expect(thread?.messages[1]?.metadata).toMatchObject({
      model: 'gpt-5-mini',
      status: 'complete',
      steps: 2,
      tool_calls: ['track_parcel'],
    });
    expect(app.said.stderr).toBe('');
  });

  it('keeps two users apart who both call their thread the same', async () => {
    await using app = await start(request => ({ text: `Message ${request.messages.length}` }));
    const url = `${await app.url()}/threads/default/messages`;
    for (const user of ['ada', 'grace']) await answerOf(await fetch(url, asks(user, `I am ${user}`)));
    await app.end('SIGTERM');
    const transcripts = await app.transcripts();
    expect(transcripts.map(({ userId, lines }) => [userId, lines])).toEqual(
      ['ada', 'grace'].map(user => [user, [`user: I am ${user}`, 'assistant: Message 2']]),
    );
  });

  it('records an answer as aborted when the client goes away', async () => {
    await using app = await start(() => LONG_ANSWER);
    await hangUp(`${await app.url()}/threads/thread-1/messages`, asks('ada', 'Count'), text => text.includes('w2 '));
    await expect
      .poll(async () => (await app.transcripts())[0]?.lines)
      .toEqual(['user: Count', expect.stringMatching(/^assistant \(aborted\): w0 w1 w2 /)]);
    expect(app.said.stderr).toBe('');
  });

  it('answers nobody who is not signed in', async () => {
    await using app = await start(() => ({ text: 'Hi' }));
    const { status } = await fetch(`${await app.url()}/threads/thread-1/messages`, asks('', 'Hi'));
    expect(status).toBe(401);
    expect(app.model.requests).toEqual([]);
  });
});
