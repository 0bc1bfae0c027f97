import { Layout, type Theme } from './layout.js';

/** A page with one short notice. */
export function NoticePage({ theme, title, text }: { theme: Theme; title: string; text: string }) {
  return (
    <Layout title={`${title} · Synap`} theme={theme} script="plain" kind="plain">
      <section class="card">
        <h1>{title}</h1>
        <p>{text}</p>
        <p>
          <a href="/">All conversations</a>
        </p>
      </section>
    </Layout>
  );
}
