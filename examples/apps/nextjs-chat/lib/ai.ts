import * as ai from 'ai';
import { PHASE_PRODUCTION_BUILD } from 'next/constants';
import { after } from 'next/server';
import { createRecorder } from 'synap-recorder';
import { wrapAISDK } from 'synap-recorder/ai-sdk';

const recorder = createRecorder({
  waitUntil: after, // the function lives on until what was said in it is delivered
  enabled: process.env.NEXT_PHASE !== PHASE_PRODUCTION_BUILD, // a build loads this, too, and may have no key
});

/** The AI SDK, recording. */
export const { streamText } = wrapAISDK(ai, recorder);
