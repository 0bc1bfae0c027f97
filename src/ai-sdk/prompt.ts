import {
  type AnswerPart,
  type ContentPart,
  joinAnswer,
  joinParts,
  type MessageContent,
} from '../recorder/attachments.js';
import type { Attachment } from '../recorder/metadata.js';

/**
 * Reads prompts: the `ModelMessage`s that an app writes, and the prompt a model gets. Both are read as unknown data, for
 * three majors of the SDK and what an app may have made of them.
 */

interface Message {
  role: string;
  content: unknown;
}

/** The prompt of a call of the SDK: its `prompt` or its `messages`, as messages. */
export function promptMessages(options: { prompt?: unknown; messages?: unknown }): Message[] {
  if (typeof options.prompt === 'string') return [{ role: 'user', content: options.prompt }];
  const list = Array.isArray(options.messages) ? options.messages : options.prompt;
  return Array.isArray(list) ? list.filter(isMessage) : [];
}

/** What stands at the end of a prompt. */
export interface PromptEnd {
  /** The user's messages that wait for an answer; none when the prompt goes on with an answer already begun. */
  readonly user: MessageContent[];
  /** Text of the assistant's after them, which the model is to go on from. */
  readonly prefill: string;
  /** What the user said before them, and the prompt still holds, the oldest first. */
  readonly earlier: readonly unknown[];
  /** The calls of tools whose results the prompt brings, where it goes on with an answer that waited for them. */
  readonly continued?: ContinuedCalls | undefined;
}

/** The calls of tools that an answer waited for. */
interface ContinuedCalls {
  readonly toolCallIds: readonly string[];
  /** The names of those that ran, or may run now: not of those that somebody denied. */
  readonly ran: readonly string[];
  /** The ids of those that somebody denied. */
  readonly denied: readonly string[];
}

export function promptEnd(messages: readonly Message[]): PromptEnd {
  let end = messages.length;
  while (messages[end - 1]?.role === 'system') end--;
  const continued = continuedCalls(messages.slice(0, end));
  if (continued) return { user: [], prefill: '', earlier: [], continued };
  const prefill: string[] = [];
  for (; end > 0 && messages[end - 1]?.role === 'assistant'; end--) {
    prefill.unshift(textParts((messages[end - 1] as Message).content));
  }
  let start = end;
  while (start > 0 && messages[start - 1]?.role === 'user') start--;
  return {
    user: messages.slice(start, end).map(message => readContent(message.content)),
    prefill: prefill.join(''),
    earlier: messages.slice(0, start).flatMap(({ role, content }) => (role === 'user' ? [content] : [])),
  };
}

/** The calls at the end of a prompt. After a call of a tool the answer is under way: nothing that the user said is new. */
function continuedCalls(messages: readonly Message[]): ContinuedCalls | undefined {
  const at = messages.findLastIndex(({ role }) => role !== 'tool');
  const { role, content } = messages[at] ?? {};
  const asked = role === 'assistant' ? partsOf(content) : [];
  const calls = asked.filter(part => part.type === 'tool-call' && part.providerExecuted !== true);
  if (at === messages.length - 1 && !asked.some(part => part.type === 'tool-call')) return undefined;
  const answers = [...asked, ...messages.slice(at + 1).flatMap(message => partsOf(message.content))];
  const approvals = new Map(
    answers.flatMap(({ type, approvalId, toolCallId }) =>
      type === 'tool-approval-request' ? [[approvalId, toolCallId]] : [],
    ),
  );
  const ran = new Set(
    answers.flatMap(({ type, toolCallId, output, approvalId, approved }) => {
      if (type === 'tool-result')
        return (output as Part | null | undefined)?.type === 'execution-denied' ? [] : [toolCallId];
      return type === 'tool-approval-response' && approved === true ? [approvals.get(approvalId)] : [];
    }),
  );
  return {
    toolCallIds: calls.map(({ toolCallId }) => String(toolCallId)),
    denied: calls.flatMap(({ toolCallId }) => (ran.has(toolCallId) ? [] : [String(toolCallId)])),
    ran: calls.flatMap(({ toolCallId, toolName }) =>
      ran.has(toolCallId) && typeof toolName === 'string' ? [toolName] : [],
    ),
  };
}

/** The text the assistant has said since the user's last message: what a tool loop has answered so far. */
export function textSinceUser(messages: readonly Message[]): string {
  let text = '';
  for (const { role, content } of messages) {
    if (role === 'user') text = '';
    else if (role === 'assistant') text += textParts(content);
  }
  return text;
}

/** The calls of tools that the assistant has made since the user's last message. */
export function toolCallsSinceUser(messages: readonly Message[]): { readonly id: string; readonly input: unknown }[] {
  let calls: { id: string; input: unknown }[] = [];
  for (const { role, content } of messages) {
    if (role === 'user') calls = [];
    else if (role === 'assistant')
      for (const { type, toolCallId, input } of partsOf(content))
        if (type === 'tool-call') calls.push({ id: String(toolCallId), input });
  }
  return calls;
}

/** A message's content as text and attachments; reasoning and tool calls are not part of it. */
export function readContent(content: unknown): MessageContent {
  if (typeof content === 'string') return { content, attachments: [] };
  const parts: ContentPart[] = [];
  for (const part of partsOf(content)) {
    if (part.type === 'text' && typeof part.text === 'string') parts.push({ text: part.text });
    else if (part.type === 'image' || part.type === 'file') parts.push({ attachment: readFile(part) });
  }
  return joinParts(parts);
}

/**
 * An answer, of the parts of a stored UI message or of what a step has generated, in the order in which its reader saw it
 * grow: a tool stands between two texts as another step does.
 */
export function readAnswer(content: unknown): MessageContent {
  return joinAnswer(
    partsOf(content).flatMap((part): AnswerPart[] => {
      if (part.type === 'text' && typeof part.text === 'string') return [{ text: part.text }];
      if (part.type === 'file') return [{ attachment: readFile(isFields(part.file) ? part.file : part) }];
      return typeof part.type === 'string' && /^(step|tool|dynamic-tool)/.test(part.type) ? ['step'] : [];
    }),
  );
}

function isFields(value: unknown): value is Part {
  return typeof value === 'object' && value !== null;
}

function textParts(content: unknown): string {
  if (typeof content === 'string') return content;
  return partsOf(content)
    .map(part => (part.type === 'text' && typeof part.text === 'string' ? part.text : ''))
    .join('');
}

type Part = Record<string, unknown>;

/** What a file says of itself; in a prompt, and in what a model generates. */
type FilePart = {
  readonly [Name in 'type' | 'image' | 'data' | 'mediaType' | 'mimeType' | 'filename']?: unknown;
};

function partsOf(content: unknown): Part[] {
  return Array.isArray(content) ? content.filter(isFields) : [];
}

function isMessage(value: unknown): value is Message {
  return typeof value === 'object' && value !== null && typeof (value as Part).role === 'string';
}

/** An `image` or `file` part of any major: its data is bytes, base64, a URL, or a tagged object that holds one. */
export function readFile(part: FilePart): Attachment {
  const tagged = part.image ?? part.data;
  const data =
    typeof tagged === 'object' && tagged !== null && 'type' in tagged
      ? ((tagged as Part).data ?? (tagged as Part).url)
      : tagged;
  const text = data instanceof URL ? data.href : typeof data === 'string' ? data : undefined;
  const inUrl = text === undefined ? undefined : /^data:([^;,]+)/i.exec(text)?.[1];
  const given = part.mediaType ?? part.mimeType;
  const mediaType = typeof given === 'string' && !given.endsWith('/*') && given.includes('/') ? given : undefined;
  const coarse = typeof given === 'string' ? given.replace('/*', '') : part.type === 'image' ? 'image' : undefined;
  return {
    mediaType: mediaType ?? inUrl ?? imageType(data) ?? coarse,
    filename: typeof part.filename === 'string' ? part.filename : undefined,
    url: text !== undefined && /^https?:/i.test(text) ? text : undefined,
  };
}

// The first bytes of an image tell its type; the SDK tells the model so, and the transcript should say the same.
const SIGNATURES: readonly [string, readonly number[]][] = [
  ['image/png', [0x89, 0x50, 0x4e, 0x47]],
  ['image/jpeg', [0xff, 0xd8, 0xff]],
  ['image/gif', [0x47, 0x49, 0x46, 0x38]],
  ['image/webp', [0x52, 0x49, 0x46, 0x46]],
];

function imageType(data: unknown): string | undefined {
  let head: Uint8Array | undefined;
  if (data instanceof Uint8Array) head = data;
  else if (data instanceof ArrayBuffer) head = new Uint8Array(data);
  else if (typeof data === 'string' && /^[A-Za-z0-9+/]{8}/.test(data))
    head = Uint8Array.from(atob(data.slice(0, 8)), character => character.charCodeAt(0));
  return SIGNATURES.find(([, bytes]) => bytes.every((byte, index) => head?.[index] === byte))?.[0];
}
