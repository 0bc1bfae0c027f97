// What recording costs an app of the AI SDK, beside the SDK alone and beside others that wrap it. Run: npm run ai-sdk

import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as ai7 from 'ai';
import { createRecorder } from 'synap-recorder';
import { wrapAISDK, wrapModel } from 'synap-recorder/ai-sdk';
import { type Major, type Model, majors, modelOf } from './chunked-model.ts';
import { pair, print, type Variant } from './pair.ts';

const CHUNKS = 2000;
const ROUNDS = Number(process.env.ROUNDS ?? 60);
// `npm run ai-sdk -- first import` runs these parts only.
const parts = process.argv.slice(2);
const wants = (part: string) => parts.length === 0 || parts.includes(part);

// Everybody sends to the same server, which takes everything.
let bytesSent = 0;
const server = createServer((request, response) => {
  request.on('data', chunk => {
    bytesSent += chunk.length;
  });
  request.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
});
await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
Object.assign(process.env, {
  LANGSMITH_TRACING: 'true',
  LANGSMITH_API_KEY: 'k',
  LANGSMITH_ENDPOINT: url,
  BRAINTRUST_API_KEY: 'k',
  BRAINTRUST_APP_URL: url,
  BRAINTRUST_API_URL: url,
});
const { wrapAISDK: langsmith } = await import('langsmith/experimental/vercel');
const { wrapAISDK: braintrust, initLogger } = await import('braintrust');
initLogger({ projectName: 'bench', projectId: 'p', apiKey: 'k', appUrl: url });

const recorder = createRecorder({ apiKey: 'k', baseUrl: url, userId: 'u', rateLimit: false, logger: false });

async function drain(sdk: typeof ai7, model: Model): Promise<void> {
  for await (const _ of sdk.streamText({ model, prompt: 'Go' }).textStream);
}

if (wants('bare')) {
  const model = modelOf(majors[2] as Major, CHUNKS);
  const tapped = wrapModel(model, recorder);
  const prompt = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'Go' }] }];
  const raw = (model: Model) => async () => {
    const { stream } = await (model as InstanceType<typeof MockLanguageModelV4>).doStream({ prompt });
    const reader = stream.getReader();
    while (!(await reader.read()).done);
  };
  // The least that any tap can do: one more stream between source and consumer.
  const through = {
    async doStream(options: never) {
      const { stream } = await (model as InstanceType<typeof MockLanguageModelV4>).doStream(options);
      const reader = stream.getReader();
      return {
        stream: new ReadableStream(
          {
            pull: controller =>
              void reader.read().then(({ done, value }) => (done ? controller.close() : controller.enqueue(value))),
          },
          { highWaterMark: 0 },
        ),
      };
    },
  } as never;
  const variants = [
    { name: 'the model alone', run: raw(model) },
    { name: 'the model alone, again (A/A)', run: raw(model) },
    { name: 'an empty stream in between', run: raw(through) },
    { name: '**synap-recorder**, wrapModel', run: raw(tapped) },
  ];
  print(`a bare doStream over ${CHUNKS} chunks`, await pair(variants, ROUNDS * 4));
}

if (wants('history')) {
  console.log('\nA turn as the history grows, ai 7: the SDK alone, and what recording adds\n');
  console.log('| messages of history | alone | recorded | ratio | bytes sent a turn |\n|---|---|---|---|---|');
  const model = new MockLanguageModelV4({
    doGenerate: async () =>
      ({
        content: [{ type: 'text', text: 'ok' }],
        finishReason: { unified: 'stop', raw: 'stop' },
        usage: { inputTokens: { total: 1 }, outputTokens: { total: 1 } },
        warnings: [],
      }) as never,
  });
  const wrapped = wrapAISDK(ai7, recorder);
  for (const length of [1, 10, 100, 1000]) {
    const messages = Array.from({ length }, (_, n) => ({
      role: (length - n) % 2 ? ('user' as const) : ('assistant' as const),
      content: 'x'.repeat(200),
    }));
    await recorder.flush();
    await new Promise(resolve => setTimeout(resolve, 500));
    bytesSent = 0;
    const rounds = ROUNDS * 2;
    const ask = (sdk: typeof ai7) => () => sdk.generateText({ model, messages });
    const [alone, recorded] = await pair(
      [
        { name: 'alone', run: ask(ai7) },
        { name: 'recorded', run: ask(wrapped) },
      ],
      rounds,
    );
    await recorder.flush();
    console.log(
      `| ${length} | ${alone?.ms.toFixed(3)} ms | ${recorded?.ms.toFixed(3)} ms | ${recorded?.ratio} | ${Math.round(bytesSent / (rounds + 3))} |`,
    );
  }
}

if (wants('memory')) {
  const gc = globalThis.gc as () => void;
  const wrapped = wrapAISDK(ai7, recorder, { idleMs: 200 });
  const abandon = async (count: number) => {
    for (let n = 0; n < count; n++) {
      const iterator = wrapped
        .streamText({ model: modelOf(majors[2] as Major, CHUNKS), prompt: 'Go' })
        .textStream[Symbol.asyncIterator]();
      await iterator.next();
    }
    await new Promise(resolve => setTimeout(resolve, 500));
    await recorder.flush();
    for (let n = 0; n < 5; n++) {
      gc();
      await new Promise(resolve => setTimeout(resolve, 20));
    }
    return process.memoryUsage().heapUsed;
  };
  await abandon(1000);
  const before = await abandon(1000);
  const after = await abandon(1000);
  console.log(
    `\n1,000 abandoned streams leave ${((after - before) / 1024).toFixed(0)} KiB on the heap after their idle time and a collection`,
  );
}

if (wants('import')) {
  const time = (before: string, what: string[]) => {
    const imports = what.map(name => `await import('${name}');`).join(' ');
    const program = `${before} const started = performance.now(); ${imports} console.log(performance.now() - started)`;
    const times = Array.from({ length: 15 }, () =>
      Number(
        execFileSync(process.execPath, ['--input-type=module', '--eval', program], {
          // Where both share one zod, as in an app.
          cwd: new URL('..', import.meta.url),
          encoding: 'utf8',
        }),
      ),
    );
    return times.sort((a, b) => a - b)[7] ?? 0;
  };
  const sdk = time('', ['ai']);
  const ours = time(`await import('ai');`, ['synap-recorder', 'synap-recorder/ai-sdk']);
  console.log(
    `\nImporting ai takes ${sdk.toFixed(0)} ms; synap-recorder and its /ai-sdk after it ${ours.toFixed(0)} ms: ${(ours / sdk).toFixed(2)} of it`,
  );
}

if (wants('first')) {
  const major = majors[2] as Major;
  const first = (sdk: typeof ai7) => async () => {
    await sdk
      .streamText({ model: modelOf(major, CHUNKS), prompt: 'Go' })
      .textStream[Symbol.asyncIterator]()
      .next();
  };
  const variants = [
    { name: 'the SDK alone', run: first(ai7) },
    { name: 'the SDK alone, again (A/A)', run: first(ai7) },
    { name: '**synap-recorder**, wrapAISDK', run: first(wrapAISDK(ai7, recorder, { idleMs: 100 })) },
  ];
  print('time to the first chunk, ai 7', await pair(variants, ROUNDS * 6));
}

for (const major of wants('stream') ? majors : []) {
  const { ai } = major;
  const model = modelOf(major, CHUNKS);
  const wrapped =
    (sdk: unknown): Variant['run'] =>
    () =>
      drain(sdk as typeof ai7, model);
  const tapped = wrapModel(model, recorder);
  const rows = await pair(
    [
      { name: 'the SDK alone', run: wrapped(ai) },
      { name: 'the SDK alone, again (A/A)', run: wrapped(ai) },
      { name: '**synap-recorder**, wrapAISDK', run: wrapped(wrapAISDK(ai, recorder)) },
      { name: '**synap-recorder**, wrapModel', run: () => drain(ai, tapped) },
      { name: 'langsmith, wrapAISDK', run: wrapped(langsmith(ai as never)) },
      { name: 'braintrust, wrapAISDK', run: wrapped(braintrust(ai)) },
    ],
    ROUNDS,
  );
  print(`streamText over ${CHUNKS} chunks, ${major.name}`, rows);
}

await recorder.close();
server.closeAllConnections();
server.close();
process.exit(0);
