import type { Command } from 'commander';
import { type ChatRequest, scriptedModel } from '../model/scripted-model.js';
import { onInterrupt } from './interrupt.js';
import { parsePort } from './port.js';

interface ModelFlags {
  port: number;
  json?: true;
}

const EXAMPLE = `
Example:
  $ synap-recorder-local model
  $ export OPENAI_BASE_URL=http://127.0.0.1:8788/v1
  $ export OPENAI_API_KEY=scripted
`;

/** `synap-recorder-local model`: a model for those who have no key, until Ctrl-C. */
export function addModelCommand(program: Command): void {
  program
    .command('model')
    .summary('run a model on this machine that only repeats the question')
    .description(
      "Runs a model on this machine, for those who have no key: it speaks OpenAI's protocol (chat completions, also streamed) and repeats the question.",
    )
    .option('--port <number>', 'port to listen on; 0 picks a free one', parsePort, 8788)
    .option('--json', 'print the address as one line of JSON')
    .addHelpText('after', EXAMPLE)
    .action(runModel);
}

async function runModel({ port, json }: ModelFlags): Promise<void> {
  const script = (request: ChatRequest) => ({ text: answerTo(request).split(/(?<= )/), delayMs: 50 });
  const model = await scriptedModel(script, { port });
  const stopped = new Promise<void>((resolve, reject) => onInterrupt(() => model.close().then(resolve, reject)));
  process.stdout.write(json ? `${JSON.stringify({ url: model.url })}\n` : asText(model.url));
  await stopped;
}

function asText(url: string): string {
  return `A model that only repeats runs on this machine:

  export OPENAI_BASE_URL=${url}
  export OPENAI_API_KEY=scripted

Ctrl-C stops it.
`;
}

function answerTo({ messages }: ChatRequest): string {
  const question = messages.findLast(({ role }) => role === 'user')?.content;
  // A provider may send a text as a list of parts.
  const text = Array.isArray(question) ? question.map(part => part.text ?? '').join('') : question;
  return `You have asked “${text}”, and I am only a script: with a real key, a model would answer now.`;
}
