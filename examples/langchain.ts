import { StringOutputParser } from '@langchain/core/output_parsers';
import { ChatPromptTemplate } from '@langchain/core/prompts';
import { ChatOpenAI } from '@langchain/openai';
import { createRecorder } from 'synap-recorder';
import { SynapCallbackHandler } from 'synap-recorder/langchain';

const recorder = createRecorder(); // SYNAP_API_KEY, SYNAP_BASE_URL
const handler = new SynapCallbackHandler(recorder);

const prompt = ChatPromptTemplate.fromTemplate('Answer in one sentence: {question}');
const chain = prompt.pipe(new ChatOpenAI({ model: 'gpt-5-mini' })).pipe(new StringOutputParser());
const answer = await chain.invoke(
  { question: 'Why is the sky blue?' },
  { callbacks: [handler], metadata: { user_id: 'ada', conversation_id: 'chat-42' } },
);
console.log(answer);

await recorder.close(); // once, when the app ends
