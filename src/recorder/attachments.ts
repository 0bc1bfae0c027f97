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
    attachments.push(part.attachment);
  }
  return { content: lines.join('\n'), attachments };
}

function placeholder({ mediaType = '' }: Attachment): string {
  const [top = ''] = mediaType.split('/');
  const kind = top === 'image' || top === 'audio' || top === 'video' ? top : 'file';
  return mediaType === '' || mediaType === kind ? `[${kind}]` : `[${kind}: ${mediaType}]`;
}
