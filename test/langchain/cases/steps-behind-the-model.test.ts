// A step of the app's stands behind the model: what the reader gets is the step's, and the model's own text never stands in.

import type { AIMessageChunk, BaseMessage } from '@langchain/core/messages';
import { BytesOutputParser, StringOutputParser } from '@langchain/core/output_parsers';
import { RunnableLambda, RunnableSequence } from '@langchain/core/runnables';
import { turns } from '../../support/turns.js';
import { drain, type Reply } from '../support.js';
import { ask, beginning, graphOf, model, prompt, readOnAfter, readThen } from './apps.js';
import { type Case, runCases } from './run-cases.js';

const never = new Promise(() => {});
const question = { question: 'Why?' };
const secret = 'Ada lives in Paris.';
const hangs: Reply = { text: 'Ada lives in', wait: never };

/** Masks each word. LangChain gives a generator the whole answer. */
async function* mask(message: AIMessageChunk) {
  for (const word of message.text.split(/(?<= )/)) yield word.replace(/\w/g, '*');
}

/** Masks each word, as it comes. */
class Masking extends StringOutputParser {
  override async *_transform(pieces: AsyncGenerator<string | BaseMessage>) {
    for await (const piece of super._transform(pieces)) yield piece.replace(/\w/g, '*');
  }

  override async parse(text: string) {
    return text.replace(/\w/g, '*');
  }
}

const masking = (reply: Reply | string) => prompt.pipe(model(reply)).pipe(new Masking());
const maskingAtTheEnd = (reply: Reply | string) => prompt.pipe(model(reply)).pipe(mask as never);
const came = (status: string) => ({ maybe: new RegExp(`^assistant \\(${status}\\): [* ]*$`) });

const stopped: Case[] = [
  {
    name: 'a masked answer is aborted',
    app: async on => {
      const abort = new AbortController();
      const stream = masking(hangs).stream(question, { ...on.config, signal: abort.signal });
      return readThen(stream, 2, () => abort.abort());
    },
    sees: '*** ***** ',
    transcript: ['user: Why?', came('aborted')],
    because: 'nobody has read the names, so nothing holds them: what came through, or nothing',
  },
  {
    name: 'a generator that masks is stopped in the middle',
    app: async on => {
      const abort = new AbortController();
      const stream = maskingAtTheEnd(secret).stream(question, { ...on.config, signal: abort.signal });
      return readThen(stream, 2, () => abort.abort());
    },
    sees: '*** ***** ',
    transcript: ['user: Why?', came('aborted')],
    because: 'nobody has read the names, so nothing holds them: what came through, or nothing',
  },
  {
    name: 'a reader of a generator that masks breaks',
    app: async on => readThen(maskingAtTheEnd(secret).stream(question, on.config), 2, () => {}),
    sees: '*** ***** ',
    transcript: ['user: Why?', came('abandoned')],
    because: 'what came through, or nothing',
    options: { idleMs: 200 },
  },
  {
    name: 'a masked answer is aborted by a slow reader',
    app: async on => {
      const abort = new AbortController();
      const stream = masking(secret).stream(question, { ...on.config, signal: abort.signal });
      return readOnAfter(stream, 2, () => abort.abort());
    },
    transcript: ['user: Why?', came('aborted')],
    because: 'what came through, or nothing',
  },
  {
    name: 'a reader of a masked answer breaks',
    app: async on => readThen(masking(secret).stream(question, on.config), 2, () => {}),
    sees: '*** ***** ',
    transcript: ['user: Why?', came('abandoned')],
    because: 'what came through, or nothing',
    options: { idleMs: 200 },
  },
  {
    name: 'a masked answer is invoked and aborted',
    app: async on => {
      const abort = new AbortController();
      const answer = masking(hangs).invoke(question, { ...on.config, signal: abort.signal });
      await turns(30);
      abort.abort();
      return answer.catch(error => error.name);
    },
    transcript: ['user: Why?'],
    because: 'nothing came through',
  },
  {
    name: 'an answer that is held back is aborted',
    app: async on => {
      const abort = new AbortController();
      const chain = maskingAtTheEnd(hangs);
      const reading = readOnAfter(chain.stream(question, { ...on.config, signal: abort.signal }), 1, () => {});
      await turns(30);
      abort.abort();
      return reading;
    },
    transcript: ['user: Why?'],
    because: 'nothing came through',
  },
  {
    name: 'an answer that a lambda turns upside down is aborted',
    app: async on => {
      const abort = new AbortController();
      const chain = RunnableSequence.from([
        prompt,
        model(hangs),
        (message: AIMessageChunk) => message.text.toUpperCase(),
      ]);
      const answer = chain.invoke(question, { ...on.config, signal: abort.signal });
      await turns(30);
      abort.abort();
      return answer.catch(error => error.name);
    },
    transcript: ['user: Why?'],
    because: 'nothing came through',
  },
  {
    name: 'a node that masks is aborted before it has answered',
    app: async on => {
      const abort = new AbortController();
      const graph = graphOf({
        say: async ({ messages }) => {
          const message = await model(hangs).invoke(messages, { tags: ['nostream'] });
          return { messages: [{ role: 'assistant', content: message.text.toUpperCase() }] };
        },
      }).compile();
      const answer = graph.invoke(ask('Why?'), { ...on.config, signal: abort.signal });
      await turns(30);
      abort.abort();
      return answer.catch(error => error.name);
    },
    transcript: ['user: Why?'],
    because: 'its model’s text is kept from the reader by its tag',
  },
  {
    name: 'an answer behind a parser of text is aborted',
    app: async on => {
      const abort = new AbortController();
      const chain = prompt.pipe(model(hangs)).pipe(new StringOutputParser());
      return readThen(chain.stream(question, { ...on.config, signal: abort.signal }), 2, () => abort.abort());
    },
    sees: 'Ada lives ',
    transcript: ['user: Why?', beginning('aborted', 'Ada lives in', 'Ada lives ')],
    because: 'a parser of text passes on the model’s words as they are',
  },
];

const finished: Case[] = [
  {
    name: 'a masked answer is read to its end',
    app: async on => (await drain(masking(secret).stream(question, on.config))).join(''),
    sees: '*** ***** ** *****.',
    transcript: ['user: Why?', 'assistant: *** ***** ** *****.'],
    because: 'that is what the reader got',
  },
  {
    name: 'the answer of a generator that masks is read to its end',
    app: async on => (await drain(maskingAtTheEnd(secret).stream(question, on.config))).join(''),
    sees: '*** ***** ** *****.',
    transcript: ['user: Why?', 'assistant: *** ***** ** *****.'],
    because: 'that is what the reader got',
  },
  {
    name: 'a step answers with nothing',
    app: async on =>
      drain(
        prompt
          .pipe(model(secret))
          .pipe((() => '') as never)
          .stream(question, on.config),
      ),
    transcript: ['user: Why?'],
    because: 'the reader got nothing',
  },
  {
    name: 'a masked answer of an invoked chain',
    app: async on => masking(secret).invoke(question, on.config),
    sees: '*** ***** ** *****.',
    transcript: ['user: Why?', 'assistant: *** ***** ** *****.'],
    because: 'that is what the reader got',
  },
];

const failing: Case[] = [
  {
    name: 'a step behind the model fails',
    app: async on => {
      async function* breaks(message: AIMessageChunk) {
        for await (const word of mask(message)) {
          yield word;
          if (word === '** ') throw new Error('no more');
        }
      }
      return drain(
        prompt
          .pipe(model(secret))
          .pipe(breaks as never)
          .stream(question, on.config),
      );
    },
    sees: { thrown: 'no more' },
    transcript: [/^user( \(error\))?: Why\?$/, { maybe: /^assistant \(error\): [* ]*$/ }],
    because: 'the model’s text does not stand in, and one notice says so',
    notices: [/./],
  },
  {
    name: 'a parser that masks fails in mid-stream',
    app: async on => {
      class Failing extends Masking {
        override async *_transform(pieces: AsyncGenerator<string | BaseMessage>) {
          for await (const piece of super._transform(pieces)) {
            yield piece;
            if (piece === '** ') throw new Error('no more');
          }
        }
      }
      return drain(prompt.pipe(model(secret)).pipe(new Failing()).stream(question, on.config));
    },
    sees: { thrown: 'no more' },
    transcript: [/^user( \(error\))?: Why\?$/, { maybe: /^assistant \(error\): [* ]*$/ }],
    because: 'the model’s text does not stand in, and one notice says so',
    notices: [/./],
  },
  {
    name: 'a lambda behind the model throws',
    app: async on => {
      const chain = prompt.pipe(model(secret)).pipe((() => {
        throw new Error('no more');
      }) as never);
      return chain.invoke(question, on.config);
    },
    sees: { thrown: 'no more' },
    transcript: [/^user( \(error\))?: Why\?$/],
    because: 'the reader got nothing',
    notices: [/./],
  },
];

/** A retrieval route: the question is condensed by a model, answered by another, and sent as bytes. */
function bytes(reply: Reply | string) {
  const condense = prompt.pipe(model('Why, standing alone?')).pipe(new StringOutputParser());
  return RunnableSequence.from([{ question: condense }, prompt, model(reply), new BytesOutputParser()]);
}

const decoded = (chunks: unknown[]) => chunks.map(chunk => new TextDecoder().decode(chunk as Uint8Array)).join('');

const asBytes: Case[] = [
  {
    name: 'a retrieval route that streams bytes',
    app: async on => decoded(await drain(bytes(secret).stream(question, on.config))),
    sees: secret,
    transcript: ['user: Why?', `assistant: ${secret}`],
    because: 'bytes are the text, too',
  },
  {
    name: 'a retrieval route that gives bytes',
    app: async on => decoded([await bytes(secret).invoke(question, on.config)]),
    sees: secret,
    transcript: ['user: Why?', `assistant: ${secret}`],
    because: 'bytes are the text, too',
  },
  {
    name: 'one model, and bytes',
    app: async on =>
      decoded(await drain(prompt.pipe(model(secret)).pipe(new BytesOutputParser()).stream(question, on.config))),
    sees: secret,
    transcript: ['user: Why?', `assistant: ${secret}`],
    because: 'bytes are the text, too',
  },
  {
    name: 'bytes that a step behind the parser has changed',
    app: async on => {
      const stars = RunnableLambda.from((chunk: Uint8Array) => chunk.map(byte => (byte === 32 ? 32 : 42)));
      return decoded([await bytes(secret).pipe(stars).invoke(question, on.config)]);
    },
    sees: '*** ***** ** ******',
    transcript: ['user: Why?', { maybe: 'assistant: *** ***** ** ******' }],
    because: 'the model’s own text does not stand in',
  },
  {
    name: 'bytes of an answer with letters of several bytes',
    app: async on => decoded(await drain(bytes('Zoë isst Käse 🧀.').stream(question, on.config))),
    sees: 'Zoë isst Käse 🧀.',
    transcript: ['user: Why?', 'assistant: Zoë isst Käse 🧀.'],
    because: 'bytes are the text, too',
  },
  {
    name: 'bytes, aborted',
    app: async on => {
      const abort = new AbortController();
      let count = 0;
      try {
        for await (const _ of await bytes(hangs).stream(question, { ...on.config, signal: abort.signal }))
          if (++count === 2) abort.abort();
      } catch {}
      return count;
    },
    transcript: ['user: Why?', { maybe: /^assistant \(aborted\): Ada (lives (in)?)?$/ }],
    because: 'a parser of bytes passes on the model’s words, never those of the model that condenses',
  },
];

runCases('a step behind the model, stopped', stopped);
runCases('a step behind the model, read to its end', finished);
runCases('a step behind the model that fails', failing);
runCases('bytes', asBytes);
