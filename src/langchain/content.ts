import { isObject, text } from '../internal/guards.js';
import { type ContentPart, joinParts, type MessageContent } from '../recorder/attachments.js';
import type { Attachment } from '../recorder/metadata.js';

/** The text of an answer: a string, or its text blocks. Thinking, tool calls and files are left out. */
export function answerText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map(block => (typeof block === 'string' ? block : (blockText(block) ?? ''))).join('');
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
  if (!isObject(block)) return [];
  const said = blockText(block);
  if (said !== undefined) return [{ text: said }];
  const attachment = attachmentOf(block);
  return attachment ? [{ attachment }] : [];
}

// Google's blocks have a text and no type.
function blockText(block: unknown): string | undefined {
  if (!isObject(block) || typeof block.text !== 'string') return undefined;
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

/**
 * A file in any form that providers and LangChain's versions know: OpenAI's `image_url`, Anthropic's `source`, Google's
 * `inlineData`, and the standard blocks, with snake_case names (0.3) or camelCase ones (1.x). Its bytes are never kept.
 */
function attachmentOf(block: Record<string, unknown>): Attachment | undefined {
  const type = typeof block.type === 'string' ? block.type : '';
  const inner = [block.source, block.file, block.image_url, block.input_audio, block.inlineData, block.fileData].find(
    isObject,
  );
  if (!Object.hasOwn(KINDS, type) && !isObject(block.inlineData) && !isObject(block.fileData)) return undefined;
  const given = (...names: string[]) => {
    for (const from of [block, inner ?? {}, isObject(block.metadata) ? block.metadata : {}])
      for (const name of names) if (text(from[name]) !== undefined) return text(from[name]);
    return undefined;
  };
  const url = given('url', 'image_url', 'file_uri', 'fileUri');
  const inUrl = /^data:([^;,]+)/i.exec(url ?? given('file_data', 'data') ?? '')?.[1];
  const format = type === 'input_audio' ? given('format') : undefined;
  return {
    mediaType:
      given('mimeType', 'mime_type', 'media_type', 'mediaType') ??
      inUrl ??
      (format && `audio/${format}`) ??
      KINDS[type],
    filename: given('filename', 'fileName', 'name', 'title'),
    url: url !== undefined && /^https?:/i.test(url) ? url : undefined,
  };
}
