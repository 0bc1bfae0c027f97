import type { Person, PersonCount } from '../store/forget.js';
import { counted, short } from './format.js';
import { Layout, type Theme } from './layout.js';

/** Asks once more before somebody is forgotten: it can't be undone. */
export function ForgetPage({ theme, person, count }: { theme: Theme; person: Person; count: PersonCount }) {
  const { messages, conversations, ownConversations } = count;
  const shared = conversations - ownConversations;
  return (
    <Layout title="Forget · Synap" theme={theme} script="plain" kind="plain">
      <section class="card">
        <h1>Forget {short(person.userId)}?</h1>
        {person.customerId !== undefined && <p>Only what belongs to the customer {short(person.customerId)}.</p>}
        {messages === 0 ? (
          <p>Nothing is stored of this user.</p>
        ) : (
          <>
            <p>
              {counted(messages, 'message')}, questions and answers, in {counted(conversations, 'conversation')} will be
              deleted from the file, for good.
              {shared > 0 && ` What others said in ${counted(shared, 'conversation')} stays.`}
            </p>
            <form method="post" action="/forget">
              <input type="hidden" name="user_id" value={person.userId} />
              {person.customerId !== undefined && <input type="hidden" name="customer_id" value={person.customerId} />}
              <button type="submit" class="primary" id="forget">
                Forget {short(person.userId)}
              </button>
            </form>
          </>
        )}
        <p>
          <a href="/">All conversations</a>
        </p>
      </section>
    </Layout>
  );
}

/** The address of the page for a person. */
export function forgetPath({ userId, customerId }: Person): string {
  const query = new URLSearchParams({ user_id: userId });
  if (customerId !== undefined) query.set('customer_id', customerId);
  return `/forget?${query}`;
}
