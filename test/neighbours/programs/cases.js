import { createRecorder } from 'synap-recorder';
import { wrapAISDK, wrapModel } from 'synap-recorder/ai-sdk';
import * as z from 'zod';
import { ownState, plainModel } from './models.js';
import { plain, report } from './report.js';

const { MODEL_URL, WAY = 'alone', ORDER, CASES } = process.env;

/**
 * Holds one conversation a case, recorded in the way that the environment names, and reports what the app got and what
 * the neighbour saw of it.
 */
export async function runCases(ai, { createOpenAI }) {
  const neighbour = globalThis.neighbour ?? { inCase: (_, fn) => fn(), spans: () => ({}) };
  const recorder =
    WAY === 'alone' ? undefined : createRecorder({ userId: 'ada', rateLimit: false, batch: { lingerMs: 5 } });
  const ours = {
    sdk: sdk => (recorder && WAY !== 'wrapModel' ? wrapAISDK(sdk, recorder) : sdk),
    model: model => (recorder && WAY !== 'wrapAISDK' ? wrapModel(model, recorder) : model),
  };
  const theirs = { sdk: neighbour.wrapSDK ?? (sdk => sdk), model: neighbour.wrapModel ?? (model => model) };
  const [outer, inner] = ORDER === 'theirs around ours' ? [theirs, ours] : [ours, theirs];
  const sdk = outer.sdk(inner.sdk(ai));
  const recorded = model => outer.model(inner.model(model));
  const provider = createOpenAI({ baseURL: MODEL_URL, apiKey: 'scripted', fetch: soonAgain });
  await neighbour.start?.(ai);
  const app = {};
  const changed = {};
  for (const [name, hold] of Object.entries(cases)) {
    if (CASES && !CASES.split('|').includes(name)) continue;
    const depths = [];
    const watched = [];
    const watch = model => {
      watched.push([model, ownState(model)]);
      return model;
    };
    const own = watch(plainModel(provider.chat('gpt-5'), depths));
    const on = { ai, sdk, own, provider, recorded, recorder, watch, depths, model: recorded(own) };
    const run = () => neighbour.inCase(name, () => hold(on));
    app[name] = await settled(recorder ? recorder.withIdentity({ conversationId: name }, run) : run(), 30_000);
    changed[name] = watched.flatMap(([model, before]) => ownState(model, before));
  }
  await recorder?.close({ timeoutMs: 20_000 });
  report({ app, changed, spans: await neighbour.spans() });
}

/** The SDK waits two seconds before it tries again, unless the provider says otherwise. */
async function soonAgain(...request) {
  const response = await fetch(...request);
  if (response.status !== 500) return response;
  return new Response(response.body, { status: 500, headers: { 'retry-after-ms': '10' } });
}

const weather = ai => ({
  weather: ai.tool({
    description: 'Tells the weather',
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => `sunny in ${city}`,
  }),
});
const twoSteps = ({ ai }) => ({ stopWhen: (ai.isStepCount ?? ai.stepCountIs)(3) });
const city = z.object({ city: z.string() });

/** The callbacks of a call, and the order in which they were called. */
function callbacks() {
  const order = [];
  const note = name => event => {
    const { chunk, finishReason, text, error } = event ?? {};
    order.push(
      [name, chunk?.type, chunk?.text, finishReason, text, error && plain(error)].filter(part => part != null),
    );
  };
  return {
    order,
    options: {
      onChunk: note('chunk'),
      onStepFinish: note('step'),
      onFinish: note('finish'),
      onError: note('error'),
      onAbort: note('abort'),
    },
  };
}

const summary = async result => ({
  class: result.constructor?.name,
  text: await result.text,
  finishReason: await result.finishReason,
  usage: plain(await result.usage),
  steps: (await result.steps)?.map(step => step.content.map(({ type }) => type)),
  messages: plain((await result.response)?.messages),
  headers: typeof (await result.response)?.headers?.['content-type'],
  requestBody: typeof (await result.request)?.body,
});

/** What becomes of a promise. AI SDK 5 leaves some open for ever when a stream breaks. */
async function settled(promise, ms = 1000) {
  let timer;
  const late = new Promise(resolve => {
    timer = setTimeout(resolve, ms, 'left open');
  });
  try {
    return plain(await Promise.race([promise, late]));
  } catch (error) {
    return { threw: plain(error) };
  } finally {
    clearTimeout(timer);
  }
}

async function read(stream) {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return parts;
}

const cases = {
  'generated text': async ({ sdk, model }) => summary(await sdk.generateText({ model, prompt: 'Why blue?' })),

  'streamed text': async ({ sdk, model }) => {
    const { order, options } = callbacks();
    const result = sdk.streamText({ model, prompt: 'Why blue?', ...options });
    const texts = await read(result.textStream);
    return { texts, order, ...(await summary(result)) };
  },

  'streamed parts': async ({ sdk, model }) => {
    const result = sdk.streamText({ model, prompt: 'Why blue?' });
    return plain(await read(result.fullStream));
  },

  'a response for a browser': async ({ sdk, model, ai }) => {
    const result = sdk.streamText({ model, prompt: 'Why blue?' });
    const response = result.toUIMessageStreamResponse
      ? result.toUIMessageStreamResponse()
      : ai.createUIMessageStreamResponse({ stream: ai.toUIMessageStream(result) });
    return plain((await response.text()).split('\n\n'));
  },

  'an abort': async ({ sdk, model }) => {
    const { order, options } = callbacks();
    const aborter = new AbortController();
    const result = sdk.streamText({ model, prompt: 'Slow, please', abortSignal: aborter.signal, ...options });
    const types = [];
    const end = await settled(
      (async () => {
        for await (const part of result.fullStream) {
          types.push(part.type === 'text-delta' ? `${part.type} ${part.text}` : part.type);
          if (part.type === 'text-delta') aborter.abort();
        }
      })(),
    );
    return { types, end, order, text: await settled(result.text) };
  },

  'an answer that is left': async ({ sdk, model }) => {
    const result = sdk.streamText({ model, prompt: 'Why blue?' });
    for await (const text of result.textStream) return text;
  },

  'a refusal of the model': async ({ sdk, model }) =>
    settled(sdk.generateText({ model, prompt: 'Refuse, please', maxRetries: 0 })),

  'a refused stream': async ({ sdk, model }) => {
    const { order, options } = callbacks();
    const result = sdk.streamText({ model, prompt: 'Refuse, please', maxRetries: 0, ...options });
    const parts = plain(await read(result.fullStream));
    return { parts, order, text: await settled(result.text) };
  },

  'a retry': async ({ sdk, model }) => summary(await sdk.generateText({ model, prompt: 'Fail once, please' })),

  'a broken stream': async ({ sdk, model }) => {
    const { order, options } = callbacks();
    const result = sdk.streamText({ model, prompt: 'Break, please', maxRetries: 0, ...options });
    const parts = await settled(read(result.fullStream));
    return { parts, order, text: await settled(result.text) };
  },

  'a tool, generated': async on =>
    summary(await on.sdk.generateText({ model: on.model, prompt: 'Weather?', tools: weather(on.ai), ...twoSteps(on) })),

  'a tool, streamed': async on => {
    const { order, options } = callbacks();
    const result = on.sdk.streamText({
      model: on.model,
      prompt: 'Weather?',
      tools: weather(on.ai),
      ...twoSteps(on),
      ...options,
    });
    return { parts: plain(await read(result.fullStream)), order, ...(await summary(result)) };
  },

  'a tool that throws': async on => {
    const tools = { weather: { ...weather(on.ai).weather, execute: async () => Promise.reject(new Error('no sky')) } };
    return summary(await on.sdk.generateText({ model: on.model, prompt: 'Weather?', tools, ...twoSteps(on) }));
  },

  'a call inside a tool': async on => {
    const execute = async () => (await on.sdk.generateText({ model: on.model, prompt: 'Why blue, inside?' })).text;
    const tools = { weather: { ...weather(on.ai).weather, execute } };
    return summary(await on.sdk.generateText({ model: on.model, prompt: 'Weather?', tools, ...twoSteps(on) }));
  },

  'a generated object': async ({ sdk, model }) => {
    if (!sdk.generateObject) return 'not in this version';
    const { object, finishReason } = await sdk.generateObject({ model, schema: city, prompt: 'Object, please' });
    return { object, finishReason };
  },

  'a streamed object': async ({ sdk, model }) => {
    if (!sdk.streamObject) return 'not in this version';
    const result = sdk.streamObject({ model, schema: city, prompt: 'Object, please' });
    return { parts: plain(await read(result.partialObjectStream)), object: await result.object };
  },

  'an output': async ({ sdk, model, ai }) => {
    const output = ai.Output.object({ schema: city });
    const result = await sdk.generateText({ model, prompt: 'Object, please', output, experimental_output: output });
    return { output: plain(result.output ?? result.experimental_output), text: result.text };
  },

  'an agent, generated': async on => summary(await agent(on).generate({ prompt: 'Weather?' })),

  'an agent, streamed': async on => {
    const result = await agent(on).stream({ prompt: 'Weather?' });
    return { texts: await read(result.textStream), ...(await summary(result)) };
  },

  '20 calls at once': async ({ sdk, model, recorder }) => {
    const talk = async index => (await read(sdk.streamText({ model, prompt: `Why ${index}?` }).textStream)).join('');
    return Promise.all(
      Array.from({ length: 20 }, (_, index) => {
        const run = () => talk(index);
        return recorder ? recorder.withIdentity({ conversationId: `20 calls at once, ${index}` }, run) : run();
      }),
    );
  },

  '50 calls of one model': async ({ sdk, model, depths }) => {
    const texts = new Set();
    for (let index = 0; index < 50; index++)
      texts.add((await sdk.generateText({ model, prompt: `Why ${index}?` })).text);
    return { texts: texts.size, stackGrows: depths.at(-1) > depths[1] };
  },

  'a model that is wrapped for each request': async ({ sdk, own, recorded, depths }) => {
    for (let index = 0; index < 20; index++) await sdk.generateText({ model: recorded(own), prompt: `Why ${index}?` });
    return { stackGrows: depths.at(-1) > depths[1] };
  },

  'one model, with the recorder and without': async ({ ai, sdk, own, recorded }) => {
    const texts = [];
    for (let index = 0; index < 3; index++) {
      texts.push((await ai.generateText({ model: own, prompt: `Why, bare ${index}?` })).text);
      texts.push((await sdk.generateText({ model: recorded(own), prompt: `Why ${index}?` })).text);
    }
    return texts;
  },

  'one wrapped model, then without': async ({ ai, sdk, own, model }) => {
    const texts = [];
    for (let index = 0; index < 3; index++) {
      texts.push((await sdk.generateText({ model, prompt: `Why ${index}?` })).text);
      texts.push((await ai.generateText({ model: own, prompt: `Why, bare ${index}?` })).text);
    }
    return texts;
  },

  'a model of a class': async ({ sdk, recorded, provider, watch }) => {
    const model = watch(provider.chat('gpt-5'));
    const { text } = await sdk.generateText({ model: recorded(model), prompt: 'Why blue?' });
    const streamed = await read(sdk.streamText({ model: recorded(model), prompt: 'And red?' }).textStream);
    return { text, streamed };
  },

  'a model by its name': async ({ ai, sdk, provider }) => {
    globalThis.AI_SDK_DEFAULT_PROVIDER = ai.customProvider({ languageModels: { own: provider.chat('gpt-5') } });
    try {
      const { text } = await sdk.generateText({ model: 'own', prompt: 'Why blue?' });
      return { text, streamed: await read(sdk.streamText({ model: 'own', prompt: 'And red?' }).textStream) };
    } finally {
      globalThis.AI_SDK_DEFAULT_PROVIDER = undefined;
    }
  },

  'a middleware of the app': async ({ ai, sdk, model }) => {
    const upper = {
      wrapGenerate: async ({ doGenerate }) => doGenerate(),
      wrapStream: async ({ doStream }) => doStream(),
    };
    const wrapped = ai.wrapLanguageModel({ model, middleware: upper });
    const { text } = await sdk.generateText({ model: wrapped, prompt: 'Why blue?' });
    return { text, streamed: await read(sdk.streamText({ model: wrapped, prompt: 'And red?' }).textStream) };
  },

  'telemetry of the SDK': async ({ sdk, model }) => {
    const telemetry = { isEnabled: true, functionId: 'blue' };
    const options = { model, prompt: 'Why blue?', telemetry, experimental_telemetry: telemetry };
    const { text } = await sdk.generateText(options);
    return { text, streamed: await read(sdk.streamText({ ...options, prompt: 'And red?' }).textStream) };
  },

  'telemetry of a tool': async on => {
    const telemetry = { isEnabled: true };
    const options = { model: on.model, prompt: 'Weather?', tools: weather(on.ai), ...twoSteps(on) };
    const result = on.sdk.streamText({ ...options, telemetry, experimental_telemetry: telemetry });
    return read(result.textStream);
  },

  'telemetry that is off': async ({ sdk, model }) => {
    const telemetry = { isEnabled: false };
    const options = { model, prompt: 'Why blue?', telemetry, experimental_telemetry: telemetry };
    const { text } = await sdk.generateText(options);
    return { text, streamed: await read(sdk.streamText({ ...options, prompt: 'And red?' }).textStream) };
  },

  'options of the app': async ({ sdk, model, ai }) => {
    // A neighbour may write to what the app hands to the SDK; with the recorder it is written to in the same way.
    const tools = weather(ai);
    const telemetry = { isEnabled: true };
    const options = { model, prompt: 'Why blue?', tools, experimental_telemetry: telemetry };
    await sdk.generateText(options);
    return { keys: Object.keys(options), tool: Reflect.ownKeys(tools.weather).map(String) };
  },
};

function agent({ sdk, ai, model }) {
  const Agent = sdk.ToolLoopAgent ?? sdk.Experimental_Agent;
  const stopWhen = (ai.isStepCount ?? ai.stepCountIs)(3);
  return new Agent({ model, tools: weather(ai), stopWhen });
}
