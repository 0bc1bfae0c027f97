import { describe, expect, it } from 'vitest';
import { promptEnd, promptMessages, readContent, textSinceUser, toolCallsSinceUser } from '../../src/ai-sdk/prompt.js';

const message = (role: string, content: unknown) => ({ role, content });
const said = (content: string) => ({ content, attachments: [] });

describe('the messages of a call', () => {
  it.each([
    ['a prompt that is a text', { prompt: 'Hi' }, [message('user', 'Hi')]],
    ['a prompt that is a list', { prompt: [message('user', 'Hi')] }, [message('user', 'Hi')]],
    ['messages', { messages: [message('user', 'Hi')] }, [message('user', 'Hi')]],
    [
      'messages with something else among them',
      { messages: [null, 1, {}, message('user', 'Hi')] },
      [message('user', 'Hi')],
    ],
    ['nothing', {}, []],
    ['nothing that is a list', { messages: 'Hi' }, []],
  ])('are read from %s', (_, options, messages) => {
    expect(promptMessages(options)).toEqual(messages);
  });
});

describe('the end of a prompt', () => {
  it.each([
    ['the user’s last message', [message('user', 'old'), message('assistant', 'x'), message('user', 'new')], ['new']],
    [
      'several of the user’s in a row',
      [message('assistant', 'x'), message('user', 'a'), message('user', 'b')],
      ['a', 'b'],
    ],
    ['the user’s before instructions', [message('user', 'Hi'), message('system', 'Be short')], ['Hi']],
    ['nobody’s after a tool’s result', [message('user', 'Hi'), message('tool', [])], []],
    ['nobody’s in an empty prompt', [], []],
  ])('is %s', (_, messages, user) => {
    expect(promptEnd(messages)).toMatchObject({ user: user.map(said), prefill: '' });
  });

  it('has the text that the model is to go on from', () => {
    const messages = [
      message('user', 'Hi'),
      message('assistant', 'Once '),
      message('assistant', [{ type: 'text', text: 'upon' }]),
    ];
    expect(promptEnd(messages)).toMatchObject({ user: [said('Hi')], prefill: 'Once upon' });
  });

  const part = (type: string, fields: object) => ({ type, ...fields });
  const call = (toolCallId: string, fields: object = {}) =>
    part('tool-call', { toolCallId, toolName: `tool-${toolCallId}`, ...fields });
  const result = (toolCallId: string, output: object = { type: 'text' }) => part('tool-result', { toolCallId, output });
  const request = (approvalId: string, toolCallId: string) => part('tool-approval-request', { approvalId, toolCallId });
  const response = (approvalId: string, approved: boolean) => part('tool-approval-response', { approvalId, approved });

  it.each([
    ['a call without a result', [[call('1')]], { toolCallIds: ['1'], ran: [] }],
    ['a result', [[call('1')], [result('1')]], { toolCallIds: ['1'], ran: ['tool-1'] }],
    [
      'results in several messages',
      [[call('1'), call('2')], [result('1')], [result('2')]],
      { toolCallIds: ['1', '2'], ran: ['tool-1', 'tool-2'] },
    ],
    [
      'a call of the provider’s own tool',
      [[call('1', { providerExecuted: true }), call('2')], [result('2')]],
      { toolCallIds: ['2'], ran: ['tool-2'] },
    ],
    ['an approval', [[call('1'), request('a', '1')], [response('a', true)]], { toolCallIds: ['1'], ran: ['tool-1'] }],
    ['a denial', [[call('1'), request('a', '1')], [response('a', false)]], { toolCallIds: ['1'], ran: [] }],
    [
      'the output of a denial',
      [[call('1')], [result('1', { type: 'execution-denied' })]],
      { toolCallIds: ['1'], ran: [] },
    ],
    [
      'the last step alone',
      [[call('1')], [result('1')], [call('2')], [result('2')]],
      { toolCallIds: ['2'], ran: ['tool-2'] },
    ],
  ] as const)('goes on with an answer after %s', (_, contents, continued) => {
    const roles = contents.map(([first]) => (first.type === 'tool-call' ? 'assistant' : 'tool'));
    const messages = contents.map((content, index) => message(roles[index] as string, content));
    expect(promptEnd([message('user', 'Hi'), ...messages])).toMatchObject({ user: [], continued });
  });

  it('goes on with none when the user says more, or the assistant has said more', () => {
    const waiting = [message('user', 'Hi'), message('assistant', [call('1')]), message('tool', [result('1')])];
    for (const more of [message('user', 'And?'), message('assistant', 'Well')])
      expect(promptEnd([...waiting, more])).not.toHaveProperty('continued', expect.anything());
  });

  it('knows what the user said before', () => {
    const messages = [message('user', 'a'), message('assistant', 'x'), message('user', 'b'), message('user', 'c')];
    expect(promptEnd(messages).earlier).toEqual(['a']);
  });
});

describe('what came since the user’s last message', () => {
  const call = (toolCallId: unknown) => ({ type: 'tool-call', toolCallId });
  const messages = [
    message('user', 'one'),
    message('assistant', [{ type: 'text', text: 'old' }, call('0')]),
    message('user', 'two'),
    message('assistant', [{ type: 'reasoning', text: 'hm' }, { type: 'text', text: 'Let me ' }, call('1')]),
    message('tool', []),
    message('assistant', [{ type: 'text', text: 'look' }, call(2), null, 'x']),
  ];

  it('is the assistant’s text, without its thoughts', () => {
    expect(textSinceUser(messages)).toBe('Let me look');
  });

  it('is the ids of the assistant’s tool calls', () => {
    expect(toolCallsSinceUser(messages).map(({ id }) => id)).toEqual(['1', '2']);
  });
});

describe('the content of a message', () => {
  const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47);
  it.each([
    [
      'a media type that is given',
      { type: 'file', data: 'x', mediaType: 'text/csv', filename: 'a.csv' },
      '[file: text/csv]',
    ],
    ['an image’s own bytes', { type: 'image', image: png }, '[image: image/png]'],
    [
      'an image’s base64',
      { type: 'image', image: Buffer.from([0xff, 0xd8, 0xff, 0, 0, 0]).toString('base64') },
      '[image: image/jpeg]',
    ],
    ['a data URL', { type: 'image', image: 'data:image/gif;base64,AAAA' }, '[image: image/gif]'],
    [
      'a tagged object',
      { type: 'file', data: { type: 'data', data: png }, mediaType: 'image/*' },
      '[image: image/png]',
    ],
    ['nothing but its kind', { type: 'image', image: 7 }, '[image]'],
  ])('says what a file is by %s', (_, part, text) => {
    expect(readContent([part]).content).toBe(text);
  });

  it('keeps the URL of a file, and never its bytes', () => {
    const image = new URL('https://example.com/a.png');
    expect(readContent([{ type: 'image', image }]).attachments[0]?.url).toBe('https://example.com/a.png');
    expect(readContent([{ type: 'image', image: 'data:image/png;base64,AAAA' }]).attachments[0]?.url).toBeUndefined();
  });

  it('has its texts on lines of their own, and neither thoughts nor tool calls', () => {
    const parts = [
      { type: 'text', text: 'One' },
      { type: 'reasoning', text: 'hm' },
      { type: 'tool-call', toolName: 'x' },
      { type: 'text', text: 7 },
      null,
      { type: 'text', text: 'Two' },
    ];
    expect(readContent(parts)).toEqual(said('One\nTwo'));
  });

  it.each([undefined, null, 7, {}])('is empty where it is %s', content => {
    expect(readContent(content)).toEqual(said(''));
  });
});
