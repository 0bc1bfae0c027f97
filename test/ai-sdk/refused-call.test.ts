import { expect, it } from 'vitest';
import { MAJORS, recording } from './majors.js';

it.each(MAJORS)(
  '$name: an answer that nobody reads on is abandoned, also when a first call was refused before it',
  async major => {
    const refusal = new major.sdk.APICallError({
      message: 'busy',
      url: 'x',
      requestBodyValues: {},
      statusCode: 503,
      responseHeaders: { 'retry-after-ms': '1' },
      isRetryable: true,
    });
    await using t = await recording(
      major,
      'wrapAISDK',
      (_, call) => (call === 0 ? { refuses: refusal } : ['One ', 'two', { hangs: true }]),
      { idleMs: 50 },
    );
    const { textStream } = t.sdk.streamText({ model: t.model, prompt: 'Count', maxRetries: 1, onError() {} });
    const reader = textStream[Symbol.asyncIterator]();
    await reader.next();
    await expect.poll(() => t.transcript()).toContainEqual(expect.stringMatching(/^assistant \(abandoned\): One/));
    // Until here it is not garbage, of which an abandoned answer would be another sign.
    void reader.return?.();
  },
);
