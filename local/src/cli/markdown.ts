import { harmlessLine } from 'synap-recorder/cli';
import { markdownText } from '../markdown-text.js';
import type { WireStoredMessage } from '../wire.js';
import { messageFacts, timeOf } from './transcript.js';

/** Writes transcripts as Markdown: a heading a conversation, a smaller one a message, and what was said, without what could be taken for the document's own. */
export class MarkdownTranscripts {
  #conversationId: string | undefined;

  /** What a message adds; messages of a conversation come one after the other. */
  next(message: WireStoredMessage): string {
    const head = message.conversation_id === this.#conversationId ? '' : this.#head(message);
    this.#conversationId = message.conversation_id;
    const { role, metadata, content } = message;
    const status = typeof metadata.status === 'string' && metadata.status !== 'complete' ? [metadata.status] : [];
    const facts = [timeOf(message), ...messageFacts(metadata), ...status].map(inline).join(' · ');
    return `${head}### ${role === 'user' ? 'User' : 'Assistant'}\n\n*${facts}*\n\n${markdownText(content)}\n\n`;
  }

  #head({ conversation_id, user_id, customer_id, metadata }: WireStoredMessage): string {
    const { external_conversation_id: external } = metadata;
    const title = typeof external === 'string' ? inline(external) : conversation_id;
    const owner = `- Conversation: \`${conversation_id}\`\n- User: ${inline(user_id)}\n- Customer: ${inline(customer_id)}\n`;
    return `${this.#conversationId === undefined ? '' : '---\n\n'}## ${title}\n\n${owner}\n`;
  }
}

/** An id or a name within a line: what Markdown would take for its own is escaped. */
function inline(text: string): string {
  return harmlessLine(text.replaceAll(/\s+/g, ' ')).replaceAll(/[\\`*_[\]<>#|]/g, '\\$&');
}
