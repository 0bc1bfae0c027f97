import { Layout, type Theme } from './layout.js';

export interface SignInProps {
  theme: Theme;
  /** Where the reader wanted to go: a path of this server. */
  next: string;
  wrongKey: boolean;
}

/** What a browser sees that has no session: see sessions.ts. */
export function SignInPage({ theme, next, wrongKey }: SignInProps) {
  return (
    <Layout title="Sign in · Synap" theme={theme} script="sign-in" kind="plain">
      <section class="card sign-in">
        <h1>Sign in</h1>
        <p id="sign-in-state" role="status">
          These transcripts are private. Open the link that <code>synap-recorder-local</code> printed when it started.
          It works once; press Enter there for another one.
        </p>
        <form method="post" action="/session">
          <input type="hidden" name="next" value={next} />
          <label for="key">Or give the API key</label>
          <input
            id="key"
            name="key"
            type="password"
            autocomplete="current-password"
            required
            aria-invalid={wrongKey}
            aria-describedby={wrongKey ? 'wrong-key' : undefined}
          />
          {wrongKey && (
            <p class="problem" id="wrong-key" role="alert">
              This is not an API key of this server.
            </p>
          )}
          <button type="submit" class="primary">
            Sign in
          </button>
        </form>
      </section>
    </Layout>
  );
}
