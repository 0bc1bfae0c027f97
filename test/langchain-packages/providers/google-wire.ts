import { events, type Wire } from './wire.js';

const USAGE = {
  promptTokenCount: 11,
  candidatesTokenCount: 5,
  thoughtsTokenCount: 2,
  totalTokenCount: 18,
  cachedContentTokenCount: 3,
};

/** Gemini's generateContent, as Google's AI Studio and Vertex AI speak it. */
export function gemini(modelVersion: string): Wire {
  return (answer, { url }) => {
    const thought = answer.thinking ? [{ text: answer.thinking, thought: true }] : [];
    const texts = (answer.text ?? []).map(text => ({ text }));
    const call = answer.tool ? [{ functionCall: { name: answer.tool.name, args: answer.tool.args } }] : [];
    const content = (parts: object[]) => ({ content: { role: 'model', parts }, index: 0 });
    const finishReason = answer.finish ?? 'STOP';
    const ids = { modelVersion, responseId: 'r' };
    const last = { ...ids, usageMetadata: USAGE };
    if (!url.includes('streamGenerateContent')) {
      const text = texts.length > 0 ? [{ text: answer.text?.join('') }] : [];
      return { json: { candidates: [{ ...content([...thought, ...text, ...call]), finishReason }], ...last } };
    }
    // Each chunk has the tokens so far.
    const opening = [...thought, ...texts].map((part, index) => ({
      candidates: [content([part])],
      ...ids,
      usageMetadata: {
        promptTokenCount: 11,
        candidatesTokenCount: Math.min(index, 5),
        totalTokenCount: 11 + Math.min(index, 5),
      },
    }));
    const closing = [{ candidates: [{ ...content(call.length > 0 ? call : [{ text: '' }]), finishReason }], ...last }];
    if (url.includes('alt=sse')) return { type: 'text/event-stream', frames: events(opening), rest: events(closing) };
    // Else a list, of which each piece is an element.
    const elements = opening.map((chunk, index) => `${index === 0 ? '[' : ','}${JSON.stringify(chunk)}`);
    const end = closing.map(chunk => `${opening.length === 0 ? '[' : ','}${JSON.stringify(chunk)}]`);
    return { type: 'application/json', frames: elements, rest: end };
  };
}
