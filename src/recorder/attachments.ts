import { cutText } from './cut-text.js';
import { MAX_ENTRIES } from './lists.js';
import type { Attachment } from './metadata.js';

/** A piece of a multimodal message: text, or something that is not. */
export type ContentPart = { readonly text: string } | { readonly attachment: Attachment };

/** What a message says in words, and what was attached to it. */
export interface MessageContent {
  readonly content: string;
  readonly attachments: readonly Attachment[];
}

/**
 * A multimodal message as text: parts stand on lines of their own, and an image or file as a placeholder such as
 * `[image: image/png]`. Bytes and data URLs stay out.
 */
export function joinParts(parts: Iterable<ContentPart>): MessageContent {
  const lines: string[] = [];
  const attachments: Attachment[] = [];
  for (const part of parts) {
    if ('text' in part) {
      if (part.text !== '') lines.push(part.text);
      continue;
    }
    lines.push(placeholder(part.attachment));
    // One more than is recorded tells that there were more.
    if (attachments.length <= MAX_ENTRIES) attachments.push(part.attachment);
  }
  return { content: lines.join('\n'), attachments };
}

/** A piece of an answer: a text or a file, or `step` where another step begins. */
export type AnswerPart = ContentPart | 'step';

/**
 * An answer as text, in the order in which its reader saw it grow: texts of one step stand together, those of different
 * steps apart by a blank line, and a file on a line of its own.
 */
export function joinAnswer(parts: Iterable<AnswerPart>): MessageContent {
  let content = '';
  let before: 'nothing' | 'text' | 'file' | 'step' = 'nothing';
  const attachments: Attachment[] = [];
  for (const part of parts) {
    if (part === 'step') {
      if (content !== '') before = 'step';
      continue;
    }
    const isFile = 'attachment' in part;
    const said = isFile ? placeholder(part.attachment) : part.text;
    if (said === '') continue;
    const isApart = before === 'file' || (isFile && before === 'text');
    content += before === 'step' ? `\n\n${said}` : isApart ? `\n${said}` : said;
    before = isFile ? 'file' : 'text';
    if (isFile && attachments.length <= MAX_ENTRIES) attachments.push(part.attachment);
  }
  return { content, attachments };
}

// RFC 6838 allows 127 characters on each side of the slash.
const MAX_MEDIA_TYPE = 255;

/** What stands for a file in a text. */
export function placeholder({ mediaType = '' }: Attachment): string {
  const [top = ''] = mediaType.split('/');
  const kind = top === 'image' || top === 'audio' || top === 'video' ? top : 'file';
  return mediaType === '' || mediaType === kind ? `[${kind}]` : `[${kind}: ${cutText(mediaType, MAX_MEDIA_TYPE)}]`;
}
