import * as openai from '@ai-sdk/openai';
import * as ai from 'ai';
import { runCases } from '../programs/cases.js';

await runCases(ai, openai);
