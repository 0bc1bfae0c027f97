import { isObject, text } from '../internal/guards.js';
import { type ContentPart, joinAnswer, joinParts, type MessageContent } from '../recorder/attachments.js';
import type { Attachment } from '../recorder/metadata.js';
import type { Message } from './messages.js';

/** The text of an answer: a string, or its text blocks, with a placeholder for each file. Thinking and tool calls are left out. */
export function answerText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  // It runs for every token, so texts, which are nearly all there is, make no lists of parts.
  let said = '';
  for (const block of content) {
    if (typeof block === 'string') said += block;
    else if (isObject(block) && block.thought !== true) {
      if (isFile(block)) return answerContent(content).content;
      said += blockText(block) ?? '';
    }
  }
  return said;
}

/** The text of an answer, and its files as attachments. */
function answerContent(content: unknown): MessageContent {
  if (typeof content === 'string') return { content, attachments: [] };
  return joinAnswer(Array.isArray(content) ? content.flatMap(partsOf) : []);
}

/**
 * What a message of the assistant's says: its text, what it speaks, or why it refuses, and its files. Thinking is left out,
 * also where the provider leaves it in the text and LangChain takes it out of `message.text`.
 */
export function messageContent({ content, fields }: Pick<Message, 'content' | 'fields'>): MessageContent {
  const said = answerContent(content);
  const { response_metadata: response, additional_kwargs: extra } = fields;
  if (!isObject(extra)) return said;
  const thinksAloud = isObject(response) && isThinkingAloud(response.model_provider);
  const texts = [thinksAloud ? withoutThoughts(said.content) : said.content, transcriptOf(extra), refusalOf(extra)];
  const attachments = isObject(extra.audio) ? [...said.attachments, { mediaType: 'audio' }] : said.attachments;
  return { content: texts.filter(part => part !== undefined && part !== '').join('\n\n'), attachments };
}

/** The text of what a message of the assistant's says; see {@link messageContent}. */
export function messageText(message: Pick<Message, 'content' | 'fields'>): string {
  return messageContent(message).content;
}

/** The text of a piece of an answer, as it streams. */
export function pieceText(message: Record<string, unknown>): string {
  const { content, additional_kwargs: extra } = message;
  const said = answerText(content);
  if (said !== '' || !isObject(extra)) return said;
  return transcriptOf(extra) ?? refusalOf(extra) ?? '';
}

/** Whether a provider may leave its thinking in the text, between `<think>` and `</think>`. */
export function isThinkingAloud(provider: unknown): boolean {
  return provider === 'groq';
}

/** A text without the thinking at its start; one that still thinks says nothing. */
export function withoutThoughts(said: string): string {
  return said.replace(/^\s*<think>(?:[\s\S]*?<\/think>|[\s\S]*$)\s*/, '');
}

// OpenAI's spoken answers have their words here, and no content.
function transcriptOf(extra: Record<string, unknown>): string | undefined {
  return isObject(extra.audio) ? text(extra.audio.transcript) : undefined;
}

function refusalOf(extra: Record<string, unknown>): string | undefined {
  return text(extra.refusal);
}

/** Whether a piece of an answer holds anything at all, be it text, thinking, or the call of a tool. */
export function saysAnything(content: unknown): boolean {
  if (typeof content === 'string') return content !== '';
  if (!Array.isArray(content)) return false;
  return content.some(
    block =>
      typeof block === 'string' ||
      (isObject(block) &&
        [block.text, block.reasoning, block.thinking, block.name, block.args, block.input, block.data].some(
          field => field !== undefined && field !== '',
        )),
  );
}

/** What a human said: text, and a placeholder for each image or file, which is described as an attachment. */
export function humanContent(content: unknown): MessageContent {
  if (typeof content === 'string') return { content, attachments: [] };
  const blocks = Array.isArray(content) ? content : [content];
  return joinParts(blocks.flatMap(partsOf));
}

function partsOf(block: unknown): ContentPart[] {
  if (typeof block === 'string') return [{ text: block }];
  // Google marks thoughts so, whatever their type.
  if (!isObject(block) || block.thought === true) return [];
  const said = blockText(block);
  if (said !== undefined) return [{ text: said }];
  const attachment = attachmentOf(block);
  return attachment ? [{ attachment }] : [];
}

// Google's blocks have a text and no type.
function blockText(block: Record<string, unknown>): string | undefined {
  if (typeof block.text !== 'string') return undefined;
  return block.type === undefined ||
    block.type === 'text' ||
    block.type === 'output_text' ||
    block.type === 'input_text'
    ? block.text
    : undefined;
}

/** The kind of file a block is, by its type; the media type, where there is one, says more. */
const KINDS: Readonly<Record<string, string>> = {
  image: 'image',
  image_url: 'image',
  input_image: 'image',
  audio: 'audio',
  input_audio: 'audio',
  video: 'video',
  file: '',
  input_file: '',
  document: '',
  media: '',
  'text-plain': 'text/plain',
};

function isFile(block: Record<string, unknown>): boolean {
  return (
    (typeof block.type === 'string' && Object.hasOwn(KINDS, block.type)) ||
    isObject(block.inlineData) ||
    isObject(block.fileData)
  );
}

/**
 * A file in any form that providers and LangChain's versions know: OpenAI's `image_url`, Anthropic's `source`, Google's
 * `inlineData`, Bedrock's `image`, and the standard blocks, with snake_case names (0.3) or camelCase ones (1.x). Its bytes are never kept.
 */
function attachmentOf(block: Record<string, unknown>): Attachment | undefined {
  if (!isFile(block)) return undefined;
  const type = typeof block.type === 'string' ? block.type : '';
  const inner = [
    block.source,
    block.file,
    block.image_url,
    block.input_audio,
    block.inlineData,
    block.fileData,
    block.image,
    block.video,
    block.document,
  ].find(isObject);
  const given = (...names: string[]) => {
    for (const from of [block, inner ?? {}, isObject(block.metadata) ? block.metadata : {}])
      for (const name of names) if (text(from[name]) !== undefined) return text(from[name]);
    return undefined;
  };
  const url = given('url', 'image_url', 'file_uri', 'fileUri');
  const inUrl = /^data:([^;,]+)/i.exec(url ?? given('file_data', 'data') ?? '')?.[1];
  const format = text(inner?.format);
  const formatType =
    format && (type === 'input_audio' ? `audio/${format}` : `${KINDS[type] || 'application'}/${format}`);
  return {
    mediaType: given('mimeType', 'mime_type', 'media_type', 'mediaType') ?? inUrl ?? formatType ?? KINDS[type],
    filename: given('filename', 'fileName', 'name', 'title'),
    url: url !== undefined && /^https?:/i.test(url) ? url : undefined,
  };
}
