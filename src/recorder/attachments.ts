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

// RFC 6838 allows 127 characters on each side of the slash.
const MAX_MEDIA_TYPE = 255;

function placeholder({ mediaType = '' }: Attachment): string {
  const [top = ''] = mediaType.split('/');
  const kind = top === 'image' || top === 'audio' || top === 'video' ? top : 'file';
  return mediaType === '' || mediaType === kind ? `[${kind}]` : `[${kind}: ${cutText(mediaType, MAX_MEDIA_TYPE)}]`;
}
