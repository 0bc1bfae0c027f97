import type { ConversationListing } from '../store/records.js';
import type { SearchHit } from '../store/search.js';
import { excerpt, type Piece } from './excerpt.js';
import { count, counted, short } from './format.js';
import { Status } from './status.js';
import { Time } from './time.js';

// The rest is a number.
const MAX_NAMES = 3;
const MAX_TITLE_NAMES = 20;

/** One conversation of the list. With a search hit it leads to the message that was found. */
export function ConversationRow({
  conversation,
  hit,
  terms = [],
}: {
  conversation: ConversationListing;
  hit?: SearchHit;
  terms?: readonly string[];
}) {
  const { conversationId, lastSeq, turnCount, messageCount, users, models, statuses, customerId } = conversation;
  const href = `/conversations/${conversationId}${hit ? `?at=${hit.seq}#m${hit.seq}` : ''}`;
  const names = users.slice(0, MAX_TITLE_NAMES).map(short).join(', ');
  return (
    <li class="row" id={`c-${conversationId}`} data-seq={lastSeq}>
      <a class="opening" href={href}>
        {headline(conversation)}
      </a>
      <span class="when">
        <Time iso={conversation.lastRecordedAt} style="relative" />
      </span>
      <span class="facts">
        <span class="who" title={names}>
          <span class="unseen">User </span>
          {users.slice(0, MAX_NAMES).map(short).join(', ')}
          {users.length > MAX_NAMES && ` +${users.length - MAX_NAMES}`}
        </span>
        <span class="customer" title={short(customerId)}>
          <span class="unseen">Customer </span>
          {short(customerId)}
        </span>
        <span class="figure" title={counted(messageCount, 'message')}>
          {counted(turnCount, 'turn')}
        </span>
        {models.slice(0, MAX_NAMES).map(model => (
          <span class="model" title={model}>
            {model}
          </span>
        ))}
        {models.length > MAX_NAMES && <span class="model">+{count(models.length - MAX_NAMES)}</span>}
        {['error', 'aborted', 'abandoned'].map(status => statuses.includes(status) && <Status status={status} />)}
      </span>
      {hit && <Found hit={hit} terms={terms} />}
    </li>
  );
}

/** A conversation in one line: how it begins, up to the first code. */
export function headline({ opening }: Pick<ConversationListing, 'opening'>): string {
  const line = (text: string) => text.replaceAll(/\s+/g, ' ').trim();
  return line(opening.replace(/```.*/s, '')) || line(opening) || 'Without a text';
}

function Found({ hit, terms }: { hit: SearchHit; terms: readonly string[] }) {
  const inText = excerpt(hit.content, terms);
  const inIds = hit.ids.flatMap(id => excerpt(id, terms)?.concat({ text: ' ', found: false }) ?? []);
  return (
    <span class="excerpt">
      <Pieces pieces={inText ?? inIds} />
    </span>
  );
}

function Pieces({ pieces }: { pieces: readonly Piece[] }) {
  return <>{pieces.map(({ text, found }) => (found ? <mark>{text}</mark> : text))}</>;
}
