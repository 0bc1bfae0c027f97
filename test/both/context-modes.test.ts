import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { isOldCore } from '../langchain/support.js';

const PROGRAM = fileURLToPath(new URL('leaks.ts', import.meta.url));

// Child processes have the project's own LangChain, whichever line these tests run on.
describe.skipIf(isOldCore)('the scope of a run', () => {
  it.each(['--async-context-frame', '--no-async-context-frame'])('is inside the run only, with %s', async mode => {
    const { stdout } = await promisify(execFile)(process.execPath, [mode, PROGRAM]);
    expect(JSON.parse(stdout)).toEqual({
      invoke: ['inside'],
      batch: ['inside'],
      'sequence.invoke': ['inside'],
      'sequence.stream': ['inside'],
      streamEvents: ['inside'],
      // LangChain starts it apart from what it runs: nothing in it knows that it is inside.
      'lambda.stream': [],
      'graph.invoke': ['inside'],
      'graph.stream': ['inside'],
      'graph.streamEvents': ['inside'],
    });
  });
});
