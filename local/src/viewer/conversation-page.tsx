import type { ConversationFilter, ConversationListing, StoredMessage } from '../store/records.js';
import type { AnswerMetadata } from '../store/transcripts.js';
import { headline } from './conversation-row.js';
import { Figures } from './figures.js';
import { forgetPath } from './forget-page.js';
import { count, counted, short } from './format.js';
import { Icon } from './icon.js';
import { Layout, type Theme } from './layout.js';
import { listPath, MAX_VALUE_LENGTH } from './list-query.js';
import { Messages } from './messages.js';
import { eventsPath, type PagePosition } from './page-position.js';
import { Time } from './time.js';

export interface ConversationPageProps {
  theme: Theme;
  conversation: ConversationListing;
  messages: StoredMessage[];
  answers: readonly AnswerMetadata[];
  /** How many messages come before the first one shown. */
  place: number;
  /** The message that is shown in the middle, because somebody looked for it. */
  at: number | undefined;
  /** Of the store when the page was made: the page's events begin behind it. */
  position: PagePosition;
}

export function ConversationPage(props: ConversationPageProps) {
  const { theme, conversation, messages, answers, place, at, position } = props;
  const { conversationId, messageCount } = conversation;
  const path = `/conversations/${conversationId}`;
  const first = messages.at(0)?.seq ?? 0;
  const last = messages.at(-1)?.seq ?? 0;
  const rest = messageCount - place - messages.length;
  return (
    <Layout
      title={`${headline(conversation).slice(0, 80)} · Synap`}
      theme={theme}
      script="conversation"
      kind="conversation"
    >
      <div class="title">
        <a class="button quiet back" href="/" id="back">
          <Icon name="back" /> Conversations
        </a>
        <span class="buttons">
          <a class="button" href={`${path}/transcript.md`} id="copy" download>
            <Icon name="copy" /> <span>Copy as Markdown</span>
          </a>
          <a class="button" href={`${path}/transcript.jsonl`} download>
            <Icon name="download" /> JSONL
          </a>
        </span>
      </div>
      <h1 class="headline">{headline(conversation)}</h1>
      <div id="about">
        <About conversation={conversation} answers={answers} />
      </div>
      <nav class="pages" aria-label="Earlier messages">
        {place > 0 && (
          <a class="button" id="earlier" rel="prev" href={`${path}?before=${first}`}>
            <Icon name="up" /> Earlier <span class="figure">{count(place)}</span>
          </a>
        )}
      </nav>
      <ol
        class="messages"
        id="messages"
        aria-label="Messages"
        data-at={at}
        data-seq={position.seq}
        data-events={rest > 0 ? undefined : eventsPath(`${path}/events`, position)}
      >
        <Messages messages={messages} answers={answers} users={conversation.users} />
      </ol>
      <nav class="pages" aria-label="Later messages">
        {rest > 0 && (
          <>
            <a class="button" id="later" rel="next" href={`${path}?after=${last}`}>
              <Icon name="down" /> Later <span class="figure">{count(rest)}</span>
            </a>
            <a class="button" href={path}>
              Newest
            </a>
          </>
        )}
      </nav>
      <div class="fresh below" hidden>
        <button type="button" class="primary" id="fresh">
          <Icon name="down" /> <span></span>
        </button>
      </div>
    </Layout>
  );
}

/** Whose conversation it is, and its figures. It is sent again with each new message. */
export function About({
  conversation,
  answers,
}: {
  conversation: ConversationListing;
  answers: readonly AnswerMetadata[];
}) {
  const { conversationId, userId, customerId, users, models, turnCount, messageCount } = conversation;
  return (
    <>
      <dl class="about">
        <div>
          <dt>{users.length > 1 ? 'Users' : 'User'}</dt>
          <dd>
            {(users.length === 0 ? [userId] : users.slice(0, 5)).map(user => (
              <Chosen filter={{ user }} name={user} />
            ))}
            {users.length > 5 && <span>+{count(users.length - 5)}</span>}
            {users.length === 1 && userId.length <= MAX_VALUE_LENGTH && <a href={forgetPath({ userId })}>Forget …</a>}
          </dd>
        </div>
        <div>
          <dt>Customer</dt>
          <dd>
            <Chosen filter={{ customer: customerId }} name={customerId} />
          </dd>
        </div>
        {models.length > 0 && (
          <div>
            <dt>{models.length > 1 ? 'Models' : 'Model'}</dt>
            <dd>
              {models.slice(0, 8).map(model => (
                <Chosen filter={{ model }} name={model} />
              ))}
            </dd>
          </div>
        )}
        <div>
          <dt>Length</dt>
          <dd>
            {counted(turnCount, 'turn')}, {counted(messageCount, 'message')}
          </dd>
        </div>
        <div>
          <dt>Recorded</dt>
          <dd>
            <Time iso={conversation.firstRecordedAt} style="full" />
          </dd>
        </div>
        <div>
          <dt>Id</dt>
          <dd class="id">{conversationId}</dd>
        </div>
      </dl>
      <div class="figures">
        <Figures answers={answers} />
      </div>
    </>
  );
}

/** A link to all conversations with the same value. */
function Chosen({ filter, name }: { filter: ConversationFilter; name: string }) {
  if (name.length > MAX_VALUE_LENGTH) return <span>{short(name)}</span>;
  return <a href={listPath({ q: '', filter, before: undefined })}>{short(name)}</a>;
}
