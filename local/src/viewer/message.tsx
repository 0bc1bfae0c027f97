import { raw } from 'hono/html';
import type { StoredMessage } from '../store/records.js';
import { AnswerLine } from './answer-line.js';
import { counted, short } from './format.js';
import { Icon } from './icon.js';
import type { Typesetter } from './markdown.js';
import { type AttachmentFacts, type MessageFacts, messageFacts } from './message-facts.js';
import { Time } from './time.js';

// The rest is behind a link, and not in the page.
const MAX_SHOWN_CHARACTERS = 64 * 1024;

export interface MessageProps {
  message: StoredMessage;
  typesetter: Typesetter;
  /** The latency, in milliseconds, that is a whole bar. */
  wholeMs: number;
  /** Several people speak in the conversation, so each message of a user says whose it is. */
  named: boolean;
  /** The user spoke again, in another turn, before this was answered. */
  unanswered?: boolean;
  /** It is the second half of the message above it: one message on the app's screen. */
  continued?: boolean;
}

/** One message of a conversation: a bubble, and below it its metadata. */
export function Message({ message, typesetter, wholeMs, named, unanswered = false, continued = false }: MessageProps) {
  const { seq, role, content, conversationId, userId } = message;
  const facts = messageFacts(message);
  const path = `/conversations/${conversationId}/messages/${seq}`;
  const shown = content.slice(0, MAX_SHOWN_CHARACTERS);
  return (
    <li
      class={`message ${role} ${facts.status ?? ''}${continued ? ' continued' : ''}`}
      id={`m${seq}`}
      data-seq={seq}
      data-turn={facts.turnId}
      tabindex={-1}
    >
      <article aria-label={role === 'user' ? 'User' : continued ? 'Assistant, continued' : 'Assistant'}>
        {role === 'user' && named && <p class="speaker">{short(userId)}</p>}
        <div class="bubble">
          {/* The one place where text becomes markup: what the typesetter gives is safe. */}
          {content === '' ? <p class="hint">Without a text</p> : raw(typesetter.html(role, shown))}
          {shown.length < content.length && (
            <p class="hint">
              {counted(content.length - shown.length, 'more character')}: <a href={`${path}/content`}>the whole text</a>
            </p>
          )}
          <Attachments attachments={facts.attachments} />
        </div>
        {facts.error !== undefined && <p class="problem">{facts.error}</p>}
        <footer>
          {role === 'assistant' && <AnswerLine facts={facts} wholeMs={wholeMs} />}
          {unanswered && <span class="status unanswered">No answer recorded</span>}
          <Time iso={facts.saidAt} style="clock" />
          <Actions path={path} facts={facts} />
        </footer>
      </article>
    </li>
  );
}

function Actions({ path, facts }: { path: string; facts: MessageFacts }) {
  return (
    <span class="tools">
      <a class="quiet" href={`${path}/content`} data-copy aria-label="Copy the text" title="Copy the text">
        <Icon name="copy" />
      </a>
      <a
        class="quiet"
        href={path}
        data-raw
        aria-label="Show as JSON"
        aria-expanded="false"
        title={facts.framework === undefined ? 'Show as JSON' : `Show as JSON (recorded through ${facts.framework})`}
      >
        <Icon name="braces" />
      </a>
    </span>
  );
}

function Attachments({ attachments }: { attachments: readonly AttachmentFacts[] }) {
  if (attachments.length === 0) return null;
  return (
    <ul class="attachments" aria-label="Attachments">
      {attachments.map(({ label, mediaType, url }) => (
        <li>
          <Icon name="file" />
          {url === undefined ? (
            <span>{label}</span>
          ) : (
            <a href={url} rel="noopener noreferrer nofollow" target="_blank">
              {label}
            </a>
          )}
          {mediaType !== undefined && mediaType !== label && <small>{mediaType}</small>}
        </li>
      ))}
    </ul>
  );
}
