// Files that a model generates, and the sources that it cites.

import { type Case, readText, runCases, type Situation } from './run-cases.js';

const streamed = async ({ sdk, model }: Situation) => readText(sdk.streamText({ model, prompt: 'Draw' }).textStream);

const parts = async ({ sdk, model }: Situation) => {
  let files = 0;
  for await (const part of sdk.streamText({ model, prompt: 'Draw' }).fullStream) if (part.type === 'file') files++;
  return files;
};

const chunks = async ({ sdk, model }: Situation) => {
  const response = sdk.streamText({ model, prompt: 'Draw' }).toUIMessageStreamResponse({ sendSources: true });
  return (await response.text()).includes('"file"');
};

const generated = async ({ sdk, model }: Situation) =>
  (await sdk.generateText({ model, prompt: 'Draw' })).files.map(({ mediaType }) => mediaType);

const image = [[{ file: 'image/png' }]];
const captioned = [['Here it is.', { file: 'image/png' }]];
const between = [['Before.', { file: 'image/png' }, 'After.']];
const source = { source: { url: 'https://example.org/paris', title: 'Paris' } };
const cited = [['Paris is ', source, 'big.']];
const seen = 'who looked saw an image; the transcript says so, and never holds its bytes';
const attachments = [{ media_type: 'image/png' }];

const cases: Case[] = [
  ...(
    [
      ['whose text is read', streamed, ''],
      ['whose parts are read', parts, 1],
      ['whose chunks are read by a browser', chunks, true],
      ['that is generated', generated, ['image/png']],
    ] as const
  ).map(
    ([how, app, sees]): Case => ({
      name: `an answer that is an image and nothing else, ${how}`,
      script: image,
      app,
      sees,
      transcript: ['user: Draw', 'assistant: [image: image/png]'],
      metadata: [undefined, { attachments }],
      because: seen,
    }),
  ),
  ...[streamed, parts, chunks, generated].map(
    (app, index): Case => ({
      name: `a text and an image, read in the ${index + 1}. way`,
      script: captioned,
      app,
      transcript: ['user: Draw', 'assistant: Here it is.\n[image: image/png]'],
      metadata: [undefined, { attachments }],
      because: seen,
    }),
  ),
  ...[streamed, parts, chunks, generated].map(
    (app, index): Case => ({
      name: `an image between two texts, read in the ${index + 1}. way`,
      script: between,
      app,
      transcript: ['user: Draw', 'assistant: Before.\n[image: image/png]\nAfter.'],
      because: 'where an image stood says what the text around it is about',
    }),
  ),
  ...[streamed, parts, chunks, generated].map(
    (app, index): Case => ({
      name: `an answer that cites a source, read in the ${index + 1}. way`,
      script: cited,
      app,
      transcript: ['user: Draw', 'assistant: Paris is big.'],
      metadata: [undefined, { sources: [{ url: 'https://example.org/paris', title: 'Paris' }] }],
      because: 'a citation is no text, and says where the answer comes from',
    }),
  ),
  {
    name: 'a source whose address carries a token',
    script: [['Paris.', { source: { url: 'https://example.org/paris?token=secret1234567890' } }]],
    app: streamed,
    transcript: ['user: Draw', 'assistant: Paris.'],
    metadata: [undefined, { sources: [{ url: withoutToken() }] }],
    because: 'who reads the transcript must not be let in by it',
  },
];

function withoutToken(): unknown {
  return { asymmetricMatch: (url: unknown) => typeof url === 'string' && !url.includes('secret1234567890') };
}

runCases('files and sources', cases);
