import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LanggraphServer, langgraphServer } from './langgraph-server.js';

let server: LanggraphServer;

beforeAll(async () => {
  server = await langgraphServer({ signIn: true });
});

afterAll(() => server[Symbol.asyncDispose]());

const said = (content: string) => ({ messages: [{ role: 'user', content }] });

/** What was recorded in a conversation, and for whom. */
async function recorded(conversationId: string) {
  const ofIt = () => server.synap.stored.filter(({ conversation_id }) => conversation_id === conversationId);
  await expect.poll(() => ofIt().length, { timeout: 20_000 }).toBeGreaterThanOrEqual(2);
  return ofIt().map(({ role, content, user_id }) => `${user_id} · ${role}: ${content}`);
}

describe.each(['example', 'plain'])('with sign-in, the graph %s', graph => {
  it('is recorded under the user who is signed in, in the conversation of the thread', async () => {
    const client = server.client('ada');
    const { thread_id } = await client.threads.create();
    await client.runs.wait(thread_id, graph, { input: said('Hi') });
    expect(await recorded(thread_id)).toEqual(['ada · user: Hi', 'ada · assistant: Re: Hi']);
  });

  it('lets no client name another user', async () => {
    const client = server.client('ada');
    const { thread_id } = await client.threads.create({ metadata: { user_id: 'bob' } });
    await client.runs.wait(thread_id, graph, {
      input: said('Hi'),
      metadata: { user_id: 'bob', userId: 'bob', langgraph_auth_user_id: 'bob', thread_id: 'of bob', run_id: 'x' },
      config: { configurable: { user_id: 'bob', langgraph_auth_user_id: 'bob' } },
    });
    expect(await recorded(thread_id)).toEqual(['ada · user: Hi', 'ada · assistant: Re: Hi']);
  });

  it('lets no client name another user on the stream of a thread', async () => {
    const client = server.client('ada');
    const { thread_id } = await client.threads.create();
    const stream = client.threads.stream(thread_id, { assistantId: graph });
    const configurable = { user_id: 'bob', langgraph_auth_user_id: 'bob' };
    await stream.run.start({ input: said('Hi'), metadata: { user_id: 'bob' }, config: { configurable } });
    await stream.output;
    await stream.close();
    expect(await recorded(thread_id)).toEqual(['ada · user: Hi', 'ada · assistant: Re: Hi']);
  });

  it('takes no tenant and no chat of the client’s where the sign-in removes them', async () => {
    const client = server.client('ada');
    const { thread_id } = await client.threads.create();
    const metadata = { customer_id: 'acme', conversation_id: 'of bob', sessionId: 'of bob' };
    const configurable = { customerId: 'acme', conversation_id: 'of bob' };
    await client.runs.wait(thread_id, graph, { input: said('Hi'), metadata, config: { configurable } });
    expect(await recorded(thread_id)).toEqual(['ada · user: Hi', 'ada · assistant: Re: Hi']);
    expect(server.synap.stored.every(({ customer_id }) => customer_id === undefined)).toBe(true);
  });

  it('keeps users apart who ask at the same time', async () => {
    const users = ['ada', 'bob', 'eve'];
    const threads = await Promise.all(
      users.map(async user => {
        const client = server.client(user);
        const { thread_id } = await client.threads.create();
        for await (const _ of client.runs.stream(thread_id, graph, {
          input: said(`I am ${user}`),
          streamMode: 'messages-tuple',
        }));
        return thread_id;
      }),
    );
    for (const [index, user] of users.entries())
      expect(await recorded(threads[index] ?? '')).toEqual([
        `${user} · user: I am ${user}`,
        `${user} · assistant: Re: I am ${user}`,
      ]);
  });

  it('records a run without a thread, too', async () => {
    await server.client('stranger').runs.wait(null, graph, { input: said(`Hi ${graph}`) });
    const find = () => server.synap.stored.find(({ content }) => content === `Re: Hi ${graph}`);
    await expect.poll(find).toMatchObject({ user_id: 'stranger' });
  });
});
